"""Drafts into instruction rows: split, leakage check, phrasing, options, last line."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from stages.knowledge import Knowledge
from stages.processes import map_processes
from stages.prose import fill
from stages.tables import Reject, content_id
from stages.tasks.balance import LETTERS, choose, letters_for, place_options
from stages.tasks.catalogue import Task, generator_of
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.schema import InstructionRow
from stages.taxonomy import Category, labels_of, load_taxonomy

LEAST_ANSWER_WORDS = 8  # of a free answer: `Integrity: Unexpected State.` teaches nothing
MOST_EQUAL_ANSWERS = 3


class Made(msgspec.Struct):
    """What one task made: rows before questions are compared with those of other tasks, rejects, and usable drafts."""

    rows: list[InstructionRow]
    rejects: list[Reject]
    usable: int  # drafts, before the cap


def build_rows(
    knowledge: Knowledge, catalogue: Sequence[Task], params: TasksParams, workers: int = 1
) -> tuple[list[InstructionRow], list[Reject], dict[str, int]]:
    """Rows of all tasks, rejects with reasons, and the number of usable drafts by task (before the cap)."""
    taxonomy = load_taxonomy()

    def work(task: Task) -> bytes:
        return msgspec.msgpack.encode(_make(knowledge, task, params, taxonomy))

    packed = map_processes(catalogue, work, workers, label="tasks", unit="tasks")
    made = [msgspec.msgpack.decode(one, type=Made) for one in packed]
    rows: dict[str, InstructionRow] = {}
    asked: set[str] = set()
    rejects = [reject for one in made for reject in one.rejects]
    for row in (row for one in made for row in one.rows):
        if row.instruction in asked:  # a second answer to one question would contradict the first, or repeat it
            rejects.append(Reject(row.task, row.subject, "duplicate" if row.id in rows else "repeated-question"))
            continue
        asked.add(row.instruction)
        rows[row.id] = row
    usable = {task.name: one.usable for task, one in zip(catalogue, made, strict=True)}
    return sorted(rows.values(), key=lambda row: (row.task, row.id)), rejects, usable


def _make(knowledge: Knowledge, task: Task, params: TasksParams, taxonomy: Sequence[Category]) -> Made:
    drafts, rejects = _screen(knowledge, task, params, generator_of(task)(knowledge, params))
    chosen = choose(task.name, drafts, params.rows(task.name), params.seed)
    letters = letters_for(task.name, chosen, params.seed)
    rows = [_row(knowledge, task, draft, letter, taxonomy) for draft, letter in zip(chosen, letters, strict=True)]
    return Made(rows, rejects, len(drafts))


def summarise(
    catalogue: Sequence[Task], rows: Sequence[InstructionRow], rejects: Sequence[Reject], usable: dict[str, int]
) -> dict[str, object]:
    """Counts for `metrics/tasks.json`; a task without rows shows as 0."""
    made = Counter(row.task for row in rows)
    lettered = [row for row in rows if row.key_kind == "letter"]
    letters = Counter(row.answer_key[0] for row in lettered if "\nD. " in row.instruction)
    of_two = Counter(row.answer_key[0] for row in lettered if "\nC. " not in row.instruction)
    verdicts = Counter(row.answer_key[0] for row in rows if row.key_kind == "yes-no")
    return {
        "rows": len(rows),
        "tasks": len({row.task for row in rows}),
        "relations": len({task.relation for task in catalogue if made[task.name]}),
        "by_task": {task.name: made[task.name] for task in catalogue},
        "phrasings": {task.name: len(task.phrasings) for task in catalogue},
        "by_family": _counts(row.family for row in rows),
        "by_split": _counts(row.split for row in rows),
        "by_relation": _counts(task.relation for task in catalogue for _ in range(made[task.name])),
        "by_key_kind": _counts(row.key_kind for row in rows),
        "by_label": _counts(label for row in rows for label in row.labels),
        "letters": {letter: letters[letter] for letter in LETTERS},
        "letters_of_two": {letter: of_two[letter] for letter in LETTERS[:2]},
        "verdicts": {verdict: verdicts[verdict] for verdict in ("Yes", "No")},
        "usable_drafts": usable,
        "rejects": len(rejects),
        "reject_reasons": _counts(reject.reason for reject in rejects),
    }


def _screen(
    knowledge: Knowledge, task: Task, params: TasksParams, made: Iterable[Draft | Skip]
) -> tuple[list[Draft], list[Reject]]:
    """Drafts that may become rows; the others with the reason."""
    drafts, rejects = [], []
    for one in made:
        reason = one.reason if isinstance(one, Skip) else _objection(knowledge, task, params, one)
        if reason:
            rejects.append(Reject(task.name, one.subject, reason))
        elif isinstance(one, Draft):
            drafts.append(one)
    objections = repeated(task, drafts)
    rejects += [Reject(task.name, drafts[place].subject, reason) for place, reason in sorted(objections.items())]
    return [draft for place, draft in enumerate(drafts) if place not in objections], rejects


def _objection(knowledge: Knowledge, task: Task, params: TasksParams, draft: Draft) -> str:
    """Why a draft may not become a row, or nothing."""
    if knowledge.split(draft.subject) == "heldout":
        return "heldout-subject"
    if any(knowledge.split(one) == "heldout" for one in draft.quoted):
        return "heldout-text"
    if not draft.answer.strip() or not all(value.strip() for value in draft.slots.values()):
        return "no-text"
    if len(draft.answer.split()) > params.max_answer_words:
        return "long-answer"
    if task.key == "none" and len(draft.answer.split()) < LEAST_ANSWER_WORDS:
        return "thin-answer"
    if len(draft.key) > params.max_keys:
        return "ambiguous-key"
    if len({option.casefold() for option in draft.options}) < len(draft.options):
        return "ambiguous-key"
    return ""


def repeated(task: Task, drafts: Sequence[Draft]) -> dict[int, str]:
    """Places of drafts that cannot stay beside the others: one question with several answers, one answer too often."""
    if task.key == "none":
        seen: Counter[str] = Counter()
        found = {}
        for place in sorted(range(len(drafts)), key=lambda one: content_id(drafts[one].subject, drafts[one].answer)):
            seen[drafts[place].answer] += 1
            if seen[drafts[place].answer] > MOST_EQUAL_ANSWERS:
                found[place] = "repeated-answer"
        return found
    answers: dict[tuple[tuple[str, str], ...], dict[str, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for draft in drafts:
        answers[_question(draft)][draft.subject].add(_right(draft))
    return {
        place: "ambiguous-key"
        for place, draft in enumerate(drafts)
        if draft.slots
        and any(rights != {_right(draft)} for one, rights in answers[_question(draft)].items() if one != draft.subject)
    }


def _question(draft: Draft) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(draft.slots.items()))


def _right(draft: Draft) -> tuple[str, ...]:
    return (*draft.key, *draft.options[:1], draft.letter, str(draft.verdict))


def _row(knowledge: Knowledge, task: Task, draft: Draft, letter: str, taxonomy: Sequence[Category]) -> InstructionRow:
    instruction = fill(_phrasing(task, draft), {name: _ended(name, value) for name, value in draft.slots.items()})
    key = draft.key
    if draft.options:
        shown = zip(LETTERS, place_options(draft, letter), strict=False)
        instruction += "\n" + "\n".join(f"{name}. {option}" for name, option in shown)
        key = [letter]
    elif draft.verdict is not None:
        key = ["Yes" if draft.verdict else "No"]
    answer = draft.answer + (f"\nFinal answer: {', '.join(key)}" if task.key != "none" else "")
    entity_ids = list(dict.fromkeys([draft.subject, *draft.entities, *draft.quoted]))
    entities = [knowledge.entities[one] for one in entity_ids]
    return InstructionRow(
        id=content_id(task.name, instruction, answer),
        task=task.name,
        family=task.family,
        instruction=instruction,
        answer=answer,
        key_kind=task.key,
        answer_key=key if task.key != "none" else [],
        subject=draft.subject,
        entity_ids=entity_ids,
        document_ids=draft.documents,
        split=knowledge.split(draft.subject),
        labels=labels_of(task.labels, entities[0].type, str(entities[0].fields.get("domain") or ""), taxonomy),
        sources=sorted({entity.source for entity in entities}),
        licences=sorted({entity.licence for entity in entities}),
    )


def _ended(name: str, value: str) -> str:
    """A text ends its sentence before the question goes on."""
    return value if name != "text" or value.rstrip("\"')")[-1:] in ".!?:" else f"{value.rstrip(' ,;')}."


def _phrasing(task: Task, draft: Draft) -> str:
    """One of the task's phrasings, chosen by what the question is about."""
    number = int(content_id("phrasing", task.name, draft.subject, *draft.key, *sorted(draft.slots.values())), 16)
    return task.phrasings[number % len(task.phrasings)]


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
