"""Detection engineering: what an analytic finds, which logs it needs, what disturbs it, what two rules leave open."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import clip, mask, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.linked import linked_keys
from stages.tasks.params import TasksParams
from stages.tasks.questions import RESERVE, hash_order, titled
from stages.tasks.sigma import NO_CAUSE

Drafts = Iterator[Draft | Skip]
COVERAGE = ["Only the first rule", "Only the second rule", "Both rules", "Neither rule"]
RULE_WORDS = 50  # of each of two rules that are compared
OPTION_WORDS = 45  # of a text that is an option
UNSEEN = "PRE"  # the platform of what happens before an intrusion: its analytics all say that little can be seen
LONGEST_CHANNEL = 60  # characters: a longer one is a query, no name of a log


def detection_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a CAR analytic or a Splunk detection -> the techniques that it finds (`detects`)."""
    subjects = knowledge.of_type("analytic", "splunk-detection")
    return linked_keys(knowledge, params, subjects, "detects", "technique", "The analytic finds")


def detection_data_source(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a Splunk detection -> the data source of four that it reads (`data_sources`)."""
    detections = [(one, _sources(one)) for one in knowledge.of_type("splunk-detection")]
    known = sorted({source for _, sources in detections for source in sources})
    for detection, sources in detections:
        text = clip(without_identifiers(knowledge.text(detection.id)), params.max_text_words)
        if not sources or not text:
            yield Skip(detection.id, "no-text" if sources else "no-field")
            continue
        right = min(sources, key=lambda one: content_id(detection.id, one))
        if right.casefold() in f"{detection.name} {text}".casefold():
            yield Skip(detection.id, "names-the-answer")
            continue
        answer = f"{detection.name} reads {right}."
        slots = {"name": detection.name, "text": text}
        yield _named_choice(detection, slots, answer, right, sources, known)


def detection_tuning(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Splunk detection -> what it sees, what harmless activity sets it off, what it needs to run (`falsepositives`)."""
    for detection in knowledge.of_type("splunk-detection"):
        told = detection.fields.get("falsepositives") or ""
        cause = clip(" ".join(told) if isinstance(told, list) else str(told), 60)
        text = clip(knowledge.text(detection.id), 60)
        needs = clip(str(detection.fields.get("how_to_implement") or ""), 45)
        if not cause or NO_CAUSE.search(cause) or not text:
            yield Skip(detection.id, "no-field" if text else "no-text")
            continue
        answer = f"{sentence(text)}\nHarmless activity to expect: {sentence(cause)}"
        answer += f"\nBefore it runs: {sentence(needs)}" if needs else ""
        yield Draft(subject=detection.id, slots={"name": detection.name}, answer=answer)


def rule_coverage(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two rules and a technique -> which of the rules covers it, or that both leave a gap (`detects` of two rules)."""
    rules = [
        one for one in knowledge.of_type("sigma-rule") if _covered(knowledge, one) and clip(knowledge.text(one.id), RULE_WORDS)
    ]
    open_rules = [one for one in rules if knowledge.split(one.id) != "heldout"]
    quotable = {one.id for one in open_rules}
    for rule in rules:
        kin = _kin(knowledge, rule)
        stranger = next((one for one in _turned(open_rules, rule) if not kin & _kin(knowledge, one)), None)
        own = hash_order(_covered(knowledge, rule), rule.id)[0]
        twins = [one for one in knowledge.subjects(own.id, "detects", "sigma-rule") if one.id in quotable - {rule.id}]
        if stranger is None:
            continue
        theirs = hash_order(_covered(knowledge, stranger), rule.id)[0]
        yield _coverage(knowledge, own, "A", rule, stranger)
        yield _coverage(knowledge, theirs, "B", rule, stranger)
        if twins:
            yield _coverage(knowledge, own, "C", rule, hash_order(twins, rule.id)[0])
        seen = kin | _kin(knowledge, stranger)
        gap = next(
            (one for other in _turned(open_rules, stranger) for one in _covered(knowledge, other) if one.id not in seen), None
        )
        if gap:
            yield _coverage(knowledge, gap, "D", rule, stranger)


def log_source_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique, platform and what an analytic looks for -> the log of four that it needs (log sources of ATT&CK's analytics).

    A log of the same data component would do as well: it is no wrong option.
    """
    cases = [case for technique in knowledge.techniques() for case in _analytics(knowledge, technique)]
    known: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))  # platform -> log -> its data components
    of_technique: dict[tuple[str, str], set[str]] = defaultdict(set)
    for technique, platform, analytic in cases:
        for log, component in _logs(analytic):
            known[platform][log].add(component)
            of_technique[technique.id, platform].add(component)
    for technique, platform, analytic in cases:
        text = _analytic_text(knowledge, technique, analytic, params.max_text_words)
        logs = sorted({log for log, _ in _logs(analytic)})
        if not logs or not text:
            yield Skip(technique.id, "no-field" if text else "no-text")
            continue
        right = min(logs, key=lambda one: content_id(technique.id, one))
        if right.casefold() in text.casefold():
            yield Skip(technique.id, "names-the-answer")
            continue
        fitting = [log for log, parts in known[platform].items() if parts & of_technique[technique.id, platform]]
        slots = {"text": text, "platform": platform}
        answer = f"On {platform} the analytic for {titled(technique)} needs {right}."
        yield _named_choice(technique, slots, answer, right, fitting, sorted(known[platform]), platform)


def analytic_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique and platform -> the analytic of four that would see it (detection strategy -> analytic)."""
    cases = [case for technique in knowledge.techniques() for case in _analytics(knowledge, technique)]
    shown: dict[str, list[tuple[Entity, str]]] = {}
    for technique, platform, analytic in cases:
        text = _analytic_text(knowledge, technique, analytic, OPTION_WORDS)
        if len(text.split()) >= 8 and not analytic.get("text_cut"):
            shown.setdefault(platform, []).append((technique, text))
    for platform, texts in sorted(shown.items()):
        open_texts = [(one, text) for one, text in texts if knowledge.split(one.id) != "heldout"]
        for technique, right in texts:
            family = knowledge.family(technique.id)
            barred = frozenset(text.casefold() for one, text in texts if one.id in family)
            others = [text for one, text in open_texts if text.casefold() not in barred]
            near = sorted(dict.fromkeys(others), key=lambda one: content_id(technique.id, one))[:RESERVE]
            answer = f"This analytic belongs to the detection strategy for {titled(technique)} on {platform}."
            # each text is right for one technique only, so that no text gives itself away by its frequency
            ask = Ask(key=f"{technique.id} {platform}", right=right, barred=barred, hard=near, reserve=near, group=platform)
            slots = {"name": technique.name, "platform": platform}
            if len(near) >= 3:
                yield Draft(subject=technique.id, slots=slots, answer=answer, options=[right], ask=ask)


def _analytic_text(knowledge: Knowledge, technique: Entity, analytic: dict[str, Any], max_words: int) -> str:
    """What an analytic looks for, without the name of its technique."""
    return clip(mask(without_identifiers(str(analytic.get("text") or "")), knowledge.hidden_names(technique.id)), max_words)


def _analytics(knowledge: Knowledge, technique: Entity) -> Iterator[tuple[Entity, str, dict[str, Any]]]:
    """Technique, platform and analytic of each of its detection strategies; none whose text is held out."""
    for strategy in knowledge.subjects(technique.id, "detects", "detection-strategy"):
        for analytic in strategy.fields.get("analytics") or []:
            heldout = "heldout" in (knowledge.split(strategy.id), knowledge.split(f"attack:{analytic.get('id')}"))
            for platform in (analytic.get("platforms") or [])[:1]:
                if not heldout and platform != UNSEEN:
                    yield technique, str(platform), analytic


def _logs(analytic: dict[str, Any]) -> list[tuple[str, str]]:
    """`WinEventLog:Security (EventCode=4688)` with its data component, as far as a person would name it."""
    found = set()
    for log in analytic.get("log_sources") or []:
        name, channel, part = (re.sub(r"\s+", " ", str(log.get(key) or "")).strip() for key in ("name", "channel", "component"))
        if name and channel not in ("", "None") and len(channel) <= LONGEST_CHANNEL:
            found.add((f"{name} ({channel})", part or name))
    return sorted(found)


def _sources(detection: Entity) -> list[str]:
    """Names of single sources: the source joins some by AND."""
    joined = " AND ".join(str(one) for one in detection.fields.get("data_sources") or [])
    return sorted({one.strip(" .") for one in joined.split(" AND ")} - {""})


def _named_choice(
    subject: Entity, slots: dict[str, str], answer: str, right: str, own: Sequence[str], known: Sequence[str], group: str = ""
) -> Draft:
    """A question for one of `known` names; what the subject has besides the right one is no wrong option."""
    near = sorted((one for one in known if one not in own), key=lambda one: content_id(subject.id, one))
    ask = Ask(
        key=subject.id,
        right=right,
        barred=frozenset(one.casefold() for one in own if one != right),
        hard=near[:RESERVE],
        reserve=near[:RESERVE],
        group=group,
    )
    return Draft(subject=subject.id, slots=slots, answer=answer, options=[right], ask=ask)


def _covered(knowledge: Knowledge, rule: Entity) -> list[Entity]:
    return knowledge.objects(rule.id, "detects", "technique")


def _kin(knowledge: Knowledge, rule: Entity) -> set[str]:
    """Everything that may be said to be covered: the techniques, their parents and their children."""
    return set().union(*(knowledge.family(one.id) for one in _covered(knowledge, rule)))


def _turned(rules: Sequence[Entity], rule: Entity) -> Iterator[Entity]:
    """Rules from a start of their own for each rule."""
    start = int(content_id("coverage", rule.id), 16) % max(1, len(rules))
    return iter([*rules[start : start + RESERVE], *rules[:RESERVE]])


def _coverage(knowledge: Knowledge, technique: Entity, letter: str, one: Entity, other: Entity) -> Draft:
    """The question whether two rules cover a technique, and what each of them covers."""
    names = {rule.id: "; ".join(titled(found) for found in _covered(knowledge, rule)) for rule in (one, other)}
    verdict = {"A": "the first", "B": "the second", "C": "both", "D": "neither"}[letter]
    answer = f"The first rule is tagged with {names[one.id]}, the second with {names[other.id]}. {technique.name} is covered by {verdict}."
    hidden = knowledge.hidden_names(technique.id)
    first, second = (
        sentence(f"{mask(rule.name, hidden)}. {clip(mask(without_identifiers(knowledge.text(rule.id)), hidden), RULE_WORDS)}")
        for rule in (one, other)
    )
    return Draft(
        subject=one.id,
        slots={"technique": technique.name, "first": first, "second": second},
        answer=answer,
        options=COVERAGE,
        letter=letter,
        entities=[technique.id],
        quoted=[other.id],
    )
