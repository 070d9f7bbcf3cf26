"""Sections of a weakness entry beyond definition and remedies: background, terms, introduction, neighbours, summary."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, listing, sentence
from stages.tasks.cve import MOST_ALIKE, likeness, vulnerability_text
from stages.tasks.cwe import mitigation_lines
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, number, points, titled

Drafts = Iterator[Draft | Skip]
MOST_PATTERNS = 4
MOST_EXAMPLES = 4
LEAST_EXAMPLES = 2  # fewer show nothing in common
MOST_EQUAL_NOTES = 3  # entries with the same note: what more of them say belongs to none
_ONLY_A_PRODUCT = re.compile(  # what is left of a text whose first sentence presents the product
    r"^\S+(?: \S+){0,6} is an? (?!.*(?:vulnerab|allow|attack|overflow|inject|leak|bypass|flaw|issue|weakness))[^.]*\.?$",
    re.IGNORECASE,
)
_SCOPES = {"Other": "other properties"}


def weakness_background(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> what one has to know of the matter to understand it (field `background`)."""
    for weakness in knowledge.of_type("weakness"):
        told = " ".join(map(str, weakness.fields.get("background") or []))
        yield _entry(weakness, clip(told, params.max_answer_words))


def weakness_alternate_terms(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> other words in use for it and what each stresses (field `alternate_terms`)."""
    for weakness in knowledge.of_type("weakness"):
        terms = list(_terms(weakness))
        if not any(text for _, text in terms):
            named = listing([f'"{term}"' for term, _ in terms]) if terms else ""
            yield _entry(weakness, f"{titled(weakness)} is also called {named}." if named else "")
            continue
        told = points([f"{term}: {text}" if text else term for term, text in terms], params.max_answer_words)
        yield _entry(weakness, f"{titled(weakness)} goes by these terms, too:\n{told}" if told else "")


def term_weakness(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """A word that practitioners use -> the entry that it stands for (field `alternate_terms`, the other way round)."""
    meant: dict[str, list[Entity]] = defaultdict(list)
    for weakness in knowledge.of_type("weakness"):
        for term, _ in _terms(weakness):
            meant[term.casefold()].append(weakness)
    for weakness in knowledge.of_type("weakness"):
        for term, _ in _terms(weakness):
            if len(meant[term.casefold()]) > 1 or term.casefold() in weakness.name.casefold():
                yield Skip(weakness.id, "ambiguous-key" if len(meant[term.casefold()]) > 1 else "names-the-answer")
                continue
            meaning = clip(knowledge.text(weakness.id), 45)
            answer = f'"{term}" stands for {titled(weakness)}{f": {meaning}" if meaning else "."}'
            yield Draft(
                subject=weakness.id, slots={"term": term}, answer=answer, key=[number(weakness.id)], documents=[weakness.id]
            )


def weakness_introduction(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> the phases of development in which it arises, and how (field `modes_of_introduction`)."""
    notes = {weakness.id: _introductions(weakness) for weakness in knowledge.of_type("weakness")}
    times = Counter(note for told in notes.values() for note in told.values())
    for weakness in knowledge.of_type("weakness"):
        told = notes[weakness.id]
        lines = [f"{phase}: {note}" if note else f"{phase}." for phase, note in told.items()]
        lead = f"{weakness.name} arises during {listing([phase.lower() for phase in told])}.\n" if told else ""
        own = any(note and times[note] <= MOST_EQUAL_NOTES for note in told.values())
        answer = points(lines, params.max_answer_words)
        yield _entry(weakness, lead + answer if answer and own else "")


def weakness_patterns(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> attack patterns that rely on it, each with its idea (relation `exploits`, against its direction)."""
    for weakness in knowledge.of_type("weakness"):
        patterns = [
            one
            for one in hash_order(knowledge.subjects(weakness.id, "exploits", "attack-pattern"), weakness.id)
            if knowledge.split(one.id) != "heldout"
        ]
        told = [(one, text) for one in patterns if (text := clip(knowledge.text(one.id), 35))][:MOST_PATTERNS]
        answer = points([f"{titled(one)}: {text}" for one, text in told], params.max_answer_words)
        yield _entry(weakness, answer, [one.id for one, _ in told], "no-link")


def weakness_vulnerabilities(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> several published vulnerabilities that show it, unlike each other (relation `instance-of`)."""
    for weakness in knowledge.of_type("weakness"):
        shown: list[tuple[Entity, str]] = []
        for one in hash_order(knowledge.subjects(weakness.id, "instance-of", "vulnerability"), weakness.id):
            text = vulnerability_text(knowledge, one, 40) if knowledge.split(one.id) != "heldout" else ""
            if (
                text
                and not _ONLY_A_PRODUCT.search(text)
                and len(shown) < MOST_EXAMPLES
                and all(likeness(text, other) < MOST_ALIKE for _, other in shown)
            ):
                shown.append((one, text))
        lines = [f"{number(one.id)}: {text}" for one, text in shown]
        answer = points(lines, params.max_answer_words) if len(shown) >= LEAST_EXAMPLES else ""
        yield _entry(weakness, answer, [one.id for one, _ in shown], "no-link")


def weakness_summary(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> one paragraph over the whole entry: what it is, where it arises, what it costs, the first remedy."""
    for weakness in knowledge.of_type("weakness"):
        meaning = clip(str(weakness.fields.get("description") or knowledge.text(weakness.id)), 50)
        remedy = next(mitigation_lines(weakness.fields), "")
        costs = _costs(weakness.fields)
        if not meaning or not remedy or not costs:
            yield Skip(weakness.id, "no-field")
            continue
        phases = list(dict.fromkeys(str(one.get("phase")) for one in weakness.fields.get("modes_of_introduction") or []))
        parts = [
            f"{titled(weakness)}: {sentence(meaning)}",
            f"It arises in {listing([one.lower() for one in phases])}." if phases else "",
            f"It endangers {costs}.",
            f"A remedy ({remedy.split(': ', 1)[0].lower()}): {sentence(clip(remedy.split(': ', 1)[-1], 40))}",
        ]
        yield _entry(weakness, " ".join(part for part in parts if part))


def _entry(weakness: Entity, answer: str, used: Iterable[str] = (), reason: str = "no-field") -> Draft | Skip:
    """A question about the weakness's entry, or why there is none; the texts of `used` are quoted."""
    if not answer:
        return Skip(weakness.id, reason)
    slots = {"name": weakness.name, "id": number(weakness.id)}
    return Draft(subject=weakness.id, slots=slots, answer=answer, quoted=list(used), documents=[weakness.id])


def _terms(weakness: Entity) -> Iterator[tuple[str, str]]:
    """(term, what is said of it); the term alone where nothing is said."""
    for one in weakness.fields.get("alternate_terms") or []:
        if term := str(one.get("term") or "").strip():
            yield term, clip(str(one.get("description") or ""), 45)


def _introductions(weakness: Entity) -> dict[str, str]:
    """Phase -> what is said of it, or nothing."""
    notes: dict[str, str] = {}
    for one in weakness.fields.get("modes_of_introduction") or []:
        phase, note = str(one.get("phase") or ""), clip(str(one.get("note") or ""), 45).removesuffix(" See.")
        if phase and (note or phase not in notes):
            notes[phase] = note
    return notes


def _costs(fields: dict[str, Any]) -> str:
    """`confidentiality and integrity (read memory, modify memory); availability (crash)`."""
    named = []
    for one in fields.get("consequences") or []:
        scopes = listing([_SCOPES.get(str(scope), str(scope).lower()) for scope in one.get("scopes") or []] or [""])
        impacts = ", ".join(str(impact).lower().replace("dos:", "DoS:") for impact in (one.get("impacts") or [])[:3])
        named += [f"{scopes} ({impacts})" if impacts else scopes] if scopes else []
    return "; ".join(list(dict.fromkeys(named))[:3])
