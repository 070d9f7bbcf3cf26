"""Vulnerabilities: root-cause mapping and what follows from it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge, shuffled
from stages.prose import clip, listing, without_identifiers
from stages.tables import content_id
from stages.tasks.cwe import cwe_number
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, gives_away, number, titled, verdicts

Drafts = Iterator[Draft | Skip]
MOST_ALIKE = 0.6  # two texts with more words in common are one advisory written twice
TRIES = 24
_GLUED = re.compile(r"\.(?=(?:This (?:issue|vulnerability)|These issues|Successful exploitation|The vulnerability)\b)")
_DISPUTED = re.compile(r"^\W*(?:DISPUTED|UNSUPPORTED WHEN ASSIGNED)\s*\*\*\s*")
_DOTS = re.compile(r"(?<![.\s])\.\.(?=\s+[A-Z]|\s*$)")
_REVISION = re.compile(r"[ \n]*-{3,}\s*(?:Begin|End) Update [A-Z]+(?:,? Part \d+(?: of \d+)?)?\s*-*\s*")
_ASSIGNED = re.compile(
    r"(?:\bVDB-\d+ is the identifier assigned to this vulnerability\.|\bThe (?:associated )?identifier (?:of this vulnerability is VDB-\d+|"
    r"VDB-\d+ was assigned to this vulnerability)\.|(?:\bCVE-[\d-]+ has )?\bbeen assigned to th(?:is|ese) vulnerabilit(?:y|ies)\."
    r"|\bA CVSS v\d(?:\.\d)? (?:base )?score of [\d.]+ has been (?:assigned|calculated)[^.]*\.(?:\d[^.]*\.)*)\s*"
)
_TITLE = re.compile(
    r"[^.]{0,120}\b(?:Remote Code Execution|Elevation of Privilege|Denial of Service|Information Disclosure|Security Feature Bypass|"
    r"Spoofing|Tampering) Vulnerability\.?$"
)
LEAST_BESIDE_UNSPECIFIED = 35  # words
Case = tuple[Entity, list[Entity], str]


def cve_to_cwe(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability -> its weakness; compact, because the smallest student trains on it.

    What an advisory reports is asked as a ticket, with its component (`advisory.ticket_weakness`): no text is asked twice.
    """
    for vulnerability, weaknesses, text in cases(knowledge, params, "cve-to-cwe"):
        if knowledge.links_to(vulnerability.id, "reports", "advisory"):
            continue
        if not text:
            yield Skip(vulnerability.id, "no-text")
            continue
        names, keys = listing([one.name for one in weaknesses]), [number(one.id) for one in weaknesses]
        used = [one.id for one in weaknesses]
        yield Draft(subject=vulnerability.id, slots={"text": text}, answer=f"Weakness: {names}", key=keys, entities=used)


def cve_weakness_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability -> its weakness among four."""
    pool = [one for one in knowledge.of_type("weakness") if knowledge.links_to(one.id, "instance-of")]
    for vulnerability, weaknesses, text in cases(knowledge, params, "cve-weakness-choice"):
        if not text:
            yield Skip(vulnerability.id, "no-text")
            continue
        if gives_away(text, *knowledge.names_of(weaknesses[0].id)):
            yield Skip(vulnerability.id, "names-the-answer")
            continue
        because = f"The text shows {titled(weaknesses[0])}"
        yield choice(
            knowledge, vulnerability, {"text": text}, weaknesses[0], weaknesses[1:], pool, relation="instance-of", because=because
        )


def cve_weakness_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Text of a vulnerability and a weakness -> does the one show the other?"""
    pool = [one for one in knowledge.of_type("weakness") if knowledge.links_to(one.id, "instance-of")]
    for vulnerability, weaknesses, text in cases(knowledge, params, "cve-weakness-verdict"):
        wrong = knowledge.distractors(vulnerability.id, "instance-of", [one.id for one in weaknesses], pool, 1, "verdict")
        if not text or not wrong:
            yield Skip(vulnerability.id, "no-text" if wrong else "few-distractors")
            continue
        right = weaknesses[0]
        if gives_away(text, *knowledge.names_of(right.id)):
            yield Skip(vulnerability.id, "names-the-answer")
            continue
        yield from verdicts(
            vulnerability,
            {"text": text, "weakness": right.name},
            (right, f"The root cause is {titled(right)}"),
            {"text": text, "weakness": wrong[0].name},
            (wrong[0], f"The root cause is {titled(right)}, not {wrong[0].name}"),
        )


def cve_same_weakness(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Texts of two vulnerabilities -> do they have the same root cause?"""
    single = [case for case in cases(knowledge, params, "cve-same-weakness") if case[2] and len(case[1]) == 1]
    by_weakness: dict[str, list[Case]] = defaultdict(list)
    for case in single:
        by_weakness[case[1][0].id].append(case)
    pool = [found[0][1][0] for _, found in sorted(by_weakness.items())]
    words = {case[0].id: frozenset(case[2].lower().split()) for case in single}
    for here in single:
        cause = here[1][0]
        others = knowledge.distractors(here[0].id, "instance-of", [cause.id], pool, 1, "pair")
        if len(by_weakness[cause.id]) < 2 or not others:
            yield Skip(here[0].id, "few-distractors")
            continue
        for partners, same in ((by_weakness[cause.id], True), (by_weakness[others[0].id], False)):
            partner = _partner(here, partners, words)
            yield _pair(here, partner, same) if partner else Skip(here[0].id, "same-text")


def _partner(here: Case, partners: Sequence[Case], words: Mapping[str, frozenset[str]]) -> Case | None:
    """The first in an order of its own whose text is not nearly the same; of many, a few tries are enough."""
    unlike = (case for case in islice(shuffled(partners, here[0].id), TRIES) if case[0].id != here[0].id)
    own = words[here[0].id]
    return next((case for case in unlike if overlap(own, words[case[0].id]) < MOST_ALIKE), None)


def likeness(one: str, other: str) -> float:
    """Shared words of all words of two texts (Jaccard), 0-1."""
    return overlap(frozenset(one.lower().split()), frozenset(other.lower().split()))


def overlap(here: frozenset[str], there: frozenset[str]) -> float:
    """Shared members of all members of two sets (Jaccard), 0-1."""
    shared = len(here & there)
    return shared / max(1, len(here) + len(there) - shared)


def weakness_example(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> a published vulnerability that shows it, with the reason."""
    for vulnerability, weaknesses, text in cases(knowledge, params, "weakness-example"):
        if not text:
            yield Skip(vulnerability.id, "no-text")
            continue
        weakness = weaknesses[0]
        meaning = "" if knowledge.split(weakness.id) == "heldout" else clip(knowledge.text(weakness.id), 60)
        if not meaning:
            yield Skip(vulnerability.id, "heldout-text" if knowledge.split(weakness.id) == "heldout" else "no-text")
            continue
        answer = f"{number(vulnerability.id)}: {text}\nIt shows {titled(weakness)}: {meaning}"
        slots = {"name": weakness.name, "id": number(weakness.id), "vulnerability": number(vulnerability.id)}
        yield Draft(subject=vulnerability.id, slots=slots, answer=answer, quoted=[weakness.id], documents=[weakness.id])


def vulnerability_text(knowledge: Knowledge, vulnerability: Entity, max_words: int) -> str:
    """The vulnerability's own text, or the observed example's line where it has none; ids removed."""
    examples = [link.text for link in knowledge.links_from(vulnerability.id, "instance-of")]
    for text in (knowledge.text(vulnerability.id), *examples):
        short = clip(without_identifiers(plain(text)), max_words)
        if len(short.split()) >= 4:
            return short
    return ""


def _says_no_cause(text: str) -> bool:
    """Whether a text is a bare title, or calls the flaw unspecified and says little more: no root cause follows from it."""
    return bool(_TITLE.match(text)) or ("unspecified" in text and len(text.split()) < LEAST_BESIDE_UNSPECIFIED)


def plain(text: str) -> str:
    """The text without marks of an advisory's revisions and without sentences on numbers that were assigned; a blank after each sentence."""
    text = _DISPUTED.sub("", text)
    text = _DOTS.sub(".", text) if ".." in text else text
    text = _GLUED.sub(". ", _REVISION.sub(" ", text) if "---" in text else text)
    return _ASSIGNED.sub("", text) if "assigned" in text else text


def cases(knowledge: Knowledge, params: TasksParams, task: str) -> Iterator[Case]:
    """Vulnerabilities that have a weakness, its weaknesses in numerical order, and its text or nothing; as many as the task considers."""
    caused = [one for one in knowledge.of_type("vulnerability") if knowledge.links_from(one.id, "instance-of", "weakness")]
    for vulnerability in sample(caused, params.considered(task), task):
        weaknesses = knowledge.objects(vulnerability.id, "instance-of", "weakness")
        if weaknesses:
            text = vulnerability_text(knowledge, vulnerability, params.max_text_words)
            text = "" if _says_no_cause(text) else text
            yield vulnerability, sorted(weaknesses, key=lambda one: cwe_number(one.id)), text


def sample(entities: Sequence[Entity], count: int, salt: str) -> list[Entity]:
    """At most `count` of `entities`, chosen by content hash, in their order."""
    if len(entities) <= count:
        return list(entities)
    chosen = {one.id for one in sorted(entities, key=lambda one: content_id("sample", salt, one.id))[:count]}
    return [one for one in entities if one.id in chosen]


def _pair(here: Case, there: Case, same: bool) -> Draft:
    (one, (cause,), text), (other, (other_cause,), other_text) = here, there
    both = f"Both texts show {titled(cause)}."
    each = f"The first text shows {titled(cause)}, the second {titled(other_cause)}."
    return Draft(
        subject=one.id,
        slots={"one": text, "other": other_text},
        answer=both if same else each,
        verdict=same,
        entities=sorted({cause.id, other_cause.id}),
        quoted=[other.id],
    )
