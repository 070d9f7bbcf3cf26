"""Detection rules: what they find, where they look, how an alert is read. Metadata only, no detection logic."""

import re
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import clip, listing, mask, sentence, without_identifiers
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import RESERVE, choice, gives_away, number, rarest, times_linked, titled

Drafts = Iterator[Draft | Skip]
NO_CAUSE = re.compile(  # what rules say where they know of no harmless cause, or give advice instead of one
    r"^(?:(?:highly |very |most )?(?:unknown|unlikely|likely|none|rare|possible but rare)\b|n/?a$|no established|not expected|tbd)"
    r"|false ?positives? (?:may|levels|depend|can)|known behavior is causing|we recommend|^verify |^if this was",
    re.IGNORECASE,
)


def rule_technique(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Title and description of a rule -> the techniques that it detects."""
    for rule in knowledge.of_type("sigma-rule"):
        techniques = knowledge.objects(rule.id, "detects", "technique")
        if not techniques:
            continue
        names = knowledge.hidden_names(*(technique.id for technique in techniques))
        text = clip(mask(without_identifiers(knowledge.text(rule.id)), names), params.max_text_words)
        if not text:
            yield Skip(rule.id, "no-text")
            continue
        answer = f"The rule looks for {listing([titled(one) for one in techniques])}."
        used, keys = [one.id for one in techniques], [number(one.id) for one in techniques]
        title = mask(rule.name, names)
        yield Draft(subject=rule.id, slots={"title": title, "text": text}, answer=answer, key=keys, entities=used)


def rule_log_source_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Title and description of a rule -> the log source of four on which it must run."""
    rules = [(rule, log_source(rule)) for rule in knowledge.of_type("sigma-rule")]
    known = sorted({source for _, source in rules if source})
    for rule, source in rules:
        text = clip(knowledge.text(rule.id), params.max_text_words)
        if not source or not text:
            yield Skip(rule.id, "no-text" if source else "no-field")
            continue
        if _names(text, source) or _names(rule.name, source):
            yield Skip(rule.id, "names-the-answer")
            continue
        product = source.rpartition(" on ")[2]
        near = [one for one in known if one != source and (one.endswith(f" on {product}") == source.endswith(f" on {product}"))]
        turned = sorted(near, key=lambda one: content_id(rule.id, one))
        barred = frozenset(one for one in known if one in source or source in one)
        answer = f"{rule.name} reads events of the log source {source}."
        slots = {"title": rule.name, "text": text}
        ask = Ask(key=rule.id, right=source, barred=barred, hard=turned, reserve=turned[:RESERVE])
        yield Draft(subject=rule.id, slots=slots, answer=answer, options=[source], ask=ask)


def technique_rule_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> the rule of four that would raise an alert on it."""
    pool = list(knowledge.of_type("sigma-rule"))
    times = times_linked(knowledge, "^detects", pool, "technique")
    for technique in knowledge.techniques():
        linked = rarest(knowledge.subjects(technique.id, "detects", "sigma-rule"), times, technique.id)
        if not linked:
            continue
        text = clip(knowledge.text(technique.id), params.max_text_words)
        if not text:
            yield Skip(technique.id, "no-text")
            continue
        said = f"{technique.name} {text}"
        silent = [one for one in linked if not gives_away(one.name, technique.name)]
        if not silent:
            yield Skip(technique.id, "names-the-answer")
            continue
        right = knowledge.closest_by_name(said, silent, 1)[0]
        doubtful = knowledge.closest_by_name(said, pool, RESERVE)  # an untagged rule with the same words may look for it, too
        kin = [rule for one in knowledge.family(technique.id) for rule in knowledge.subjects(one, "detects", "sigma-rule")]
        because = f"The rule '{right.name}' is tagged with {titled(technique)}"
        slots = {"name": technique.name, "text": text}
        others = sorted(
            {rule.id: rule for rule in [*linked, *kin, *doubtful] if rule is not right}.values(), key=lambda rule: rule.id
        )
        yield choice(knowledge, technique, slots, right, others, pool, relation="^detects", because=because)


def rule_triage(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Rule -> how urgent an alert is and which harmless causes to rule out first."""
    for rule in knowledge.of_type("sigma-rule"):
        level = str(rule.fields.get("level") or "")
        causes = [str(one).strip() for one in rule.fields.get("falsepositives") or []]
        causes = [sentence(one) for one in causes if one and not NO_CAUSE.search(one)]
        text = clip(knowledge.text(rule.id), params.max_text_words)
        if not level or not causes or not text:
            yield Skip(rule.id, "no-field")
            continue
        harmless = "\n".join(f"- {cause}" for cause in causes[:4])
        answer = f"{sentence(text)}\nSeverity: {level}.\nHarmless causes to rule out:\n{harmless}"
        yield Draft(subject=rule.id, slots={"title": rule.name}, answer=answer)


def _names(text: str, source: str) -> bool:
    """Whether a text says the category and the product of a log source outright."""
    return all(part in text.casefold() for part in source.split(" on "))


def log_source(rule: Entity) -> str:
    """`process creation on windows`, or nothing if the rule names no category or product."""
    category, product = (str(rule.fields.get(part) or "").replace("_", " ").strip() for part in ("category", "product"))
    return f"{category} on {product}" if category and product else ""
