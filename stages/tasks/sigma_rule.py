"""Detection rules as text to write and to read: attack behind a rule, its description, its logic, its goal."""

import re
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, listing, mask, sentence, without_identifiers
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import titled

Drafts = Iterator[Draft | Skip]
MOST_CHARACTERS = 900  # of detection logic: about 300 tokens; longer lists of values teach nothing more
_SCALAR = re.compile(r"[\n\"'\\:#{}\[\],&*!|>%@`]|^[\s?-]|\s$")  # what a plain value of YAML may not hold


def rule_attack(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description of a rule -> the attack behind an alert: technique, what it is, what it serves (`detects`, `achieves`)."""
    for rule in knowledge.of_type("sigma-rule"):
        techniques = knowledge.objects(rule.id, "detects", "technique")
        text = _hidden(knowledge, rule, techniques, params)
        if len(techniques) != 1 or not text:
            yield Skip(rule.id, "no-text" if len(techniques) == 1 else "no-link" if not techniques else "ambiguous-key")
            continue
        technique = techniques[0]
        meaning = clip(knowledge.text(technique.id), 70)
        tactics = knowledge.objects(technique.id, "achieves", "tactic")
        if not meaning or not tactics:
            yield Skip(rule.id, "no-text")
            continue
        aims = listing([one.name for one in tactics])
        answer = f"{rule.name}: the behaviour is {titled(technique)}, which serves {aims}. {sentence(meaning)}"
        used = [one.id for one in tactics]
        yield Draft(subject=rule.id, slots={"text": text}, answer=answer, entities=used, quoted=[technique.id])


def rule_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Goal of a rule (title, technique, where it looks, how urgent) -> the description that belongs into the rule."""
    for rule in knowledge.of_type("sigma-rule"):
        answer = clip(knowledge.text(rule.id), params.max_answer_words)
        techniques = knowledge.objects(rule.id, "detects", "technique")
        source = log_source_words(rule)
        if not answer or not techniques or not source:
            yield Skip(rule.id, "no-text" if not answer else "no-field")
            continue
        level = str(rule.fields.get("level") or "unrated")
        aim = listing([titled(one) for one in techniques[:3]])
        slots = {"title": rule.name, "technique": aim, "source": source, "level": level}
        yield Draft(subject=rule.id, slots=slots, answer=answer, entities=[one.id for one in techniques[:3]])


def rule_building(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What is to be found and where -> the rule as YAML with its own detection logic; the author stays named (licence)."""
    for rule in knowledge.of_type("sigma-rule"):
        logic, goal, source = detection_logic(rule), clip(knowledge.text(rule.id), params.max_text_words), log_source(rule)
        if not logic or not goal or not source:
            yield Skip(rule.id, "no-field" if goal else "no-text")
            continue
        if len(logic) > MOST_CHARACTERS:
            yield Skip(rule.id, "long-answer")
            continue
        head = {key: str(rule.fields.get(key) or "") for key in ("author", "level")}
        lines = [f"title: {_scalar(rule.name)}", *(f"{key}: {_scalar(value)}" for key, value in head.items() if value)]
        answer = "\n".join(["```yaml", *lines, "logsource:", *_indented(source), "detection:", *_indented(logic), "```"])
        yield Draft(subject=rule.id, slots={"text": f"{rule.name}. {goal}", "source": log_source_words(rule)}, answer=answer)


def rule_goal(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Detection logic without title or description -> what it is meant to find, and the technique that this shows."""
    for rule in knowledge.of_type("sigma-rule"):
        logic, source, text = detection_logic(rule), log_source(rule), clip(knowledge.text(rule.id), params.max_answer_words // 2)
        if not logic or not source or not text:
            yield Skip(rule.id, "no-field" if text else "no-text")
            continue
        if len(logic) > MOST_CHARACTERS:
            yield Skip(rule.id, "long-answer")
            continue
        techniques = knowledge.objects(rule.id, "detects", "technique")
        shown = f"\nA match points to {listing([titled(one) for one in techniques])}." if techniques else ""
        rule_text = "\n".join(["logsource:", *_indented(source), "detection:", *_indented(logic)])
        answer = f"{rule.name}: {sentence(text)}{shown}"
        yield Draft(subject=rule.id, slots={"rule": rule_text}, answer=answer, entities=[one.id for one in techniques])


def detection_logic(rule: Entity) -> str:
    """The detection section as YAML text with its condition last; empty if the source carries no logic."""
    text = str(rule.fields.get("detection") or "").strip("\n")
    lines = [line.rstrip() for line in text.splitlines()]
    if lines and lines[0].strip() == "detection:":
        lines = lines[1:]
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    lines = [line[depth:] for line in lines if line.strip()]
    condition = str(rule.fields.get("condition") or "").strip()
    if lines and condition and not any(line.startswith("condition:") for line in lines):
        lines.append(f"condition: {condition}")
    return "\n".join(lines) if any(line.startswith("condition:") for line in lines) else ""


def log_source(rule: Entity) -> str:
    """`category: process_creation` and so on, one a line, as the rule's `logsource` section has them."""
    parts = ((part, str(rule.fields.get(part) or "").strip()) for part in ("category", "product", "service"))
    return "\n".join(f"{name}: {_scalar(value)}" for name, value in parts if value)


def log_source_words(rule: Entity) -> str:
    """`process creation events of windows`, or what of it the rule names."""
    category, product, service = (
        str(rule.fields.get(part) or "").replace("_", " ").strip() for part in ("category", "product", "service")
    )
    kind = f"{(category or service).removesuffix(' event')} events".strip() if category or service else "events"
    return f"{kind} of {product}" if product else kind if category or service else ""


def _hidden(knowledge: Knowledge, rule: Entity, techniques: list[Entity], params: TasksParams) -> str:
    """The description without ids and names of its techniques."""
    names = knowledge.hidden_names(*(one.id for one in techniques))
    return clip(mask(without_identifiers(knowledge.text(rule.id)), names), params.max_text_words)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]


def _scalar(value: str) -> str:
    """A value as YAML: quoted where a plain one would be read as something else."""
    return "'" + " ".join(value.split()).replace("'", "''") + "'" if _SCALAR.search(value) else value
