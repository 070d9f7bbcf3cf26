"""Which rows are trained on when there are more than the token budget allows."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stages.chat import render_example
from stages.errors import InputError, ParamsError
from stages.finetune.schema import RenderedRow
from stages.tables import Reject, content_id
from stages.validate.schema import TrainingRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OTHER = "other"
LABEL_KINDS = frozenset({"cwe", "technique", "id"})  # letters and Yes/No stand for nothing by themselves


def render_rows(
    rows: Iterable[TrainingRow], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> tuple[list[RenderedRow], list[Reject]]:
    """Rows as tokens. A row of more than `max_length` tokens is a reject: a cut answer would teach to stop early."""
    rendered, rejects = [], []
    for row in rows:
        if not row.answer.strip():
            rejects.append(Reject("finetune", row.id, "empty-answer"))
            continue
        example = render_example(tokenizer, row.instruction, row.answer)
        if len(example.input_ids) > max_length:
            detail = f"{row.task}: {len(example.input_ids)} tokens, finetune.max_length is {max_length}"
            rejects.append(Reject("finetune", row.id, "too-long", detail))
            continue
        rendered.append(
            RenderedRow(
                id=row.id,
                task=row.task,
                family=row.family,
                label=", ".join(sorted(row.answer_key)) if row.key_kind in LABEL_KINDS else "",
                input_ids=example.input_ids,
                labels=example.labels,
            )
        )
    return rendered, rejects


def select_rows(
    rows: Sequence[RenderedRow], *, max_tokens: int, mix: Mapping[str, float], rows_per_label: int
) -> list[RenderedRow]:
    """Rows of at most `max_tokens` tokens in all, the tasks in the proportions of `mix`.

    `mix` weighs a task, a family or `other` (all tasks not named). The next row always comes from the group that is
    furthest behind its share, and within a group from the task that has had the fewest tokens, so that a hundred tasks
    of a small share do not take a row each before the share counts. A task that runs out leaves its tokens to the rest.
    Within a task the order is that of `learning_order`: the choice depends on nothing but rows and params.
    The result is in the order of content hashes, that is, mixed: packs of one label each taught no label at all
    (2 of 187 exact weakness ids, although the training loss fell).
    """
    queues: dict[str, list[RenderedRow]] = defaultdict(list)
    for row in reversed(learning_order(rows, rows_per_label)):
        queues[row.task].append(row)
    group_of = task_groups({row.task: row.family for row in rows}, mix)
    turns: dict[str, list[tuple[int, str, str]]] = defaultdict(list)  # group -> heap of (tokens so far, tie, task)
    for task in queues:
        if mix.get(group_of[task], 0.0) > 0:
            heapq.heappush(turns[group_of[task]], (0, content_id("turn", task), task))
    behind = [(0.0, group) for group in sorted(turns)]
    chosen, used = [], 0
    while behind:
        share, group = heapq.heappop(behind)
        tokens, tie, task = heapq.heappop(turns[group])
        row = queues[task].pop()
        size = len(row.input_ids)
        if used + size <= max_tokens:  # else this task is done; one with shorter rows may still fill the rest
            chosen.append(row)
            used += size
            share += size / mix[group]
            if queues[task]:
                heapq.heappush(turns[group], (tokens + size, tie, task))
        if turns[group]:
            heapq.heappush(behind, (share, group))
    if not chosen:
        raise InputError(
            f"No training row was chosen out of {len(rows):,}.",
            remedy="Raise finetune.max_tokens or finetune.max_length, or give a task that has rows a weight in finetune.mix.",
        )
    return sorted(chosen, key=_hash)


def learning_order(rows: Sequence[RenderedRow], rows_per_label: int) -> list[RenderedRow]:
    """Rows with the frequent labels of their task first, `rows_per_label` of each; then all others; ties by content hash.

    A label met once or twice is not learned, and the tokens it takes are missing elsewhere: few labels, learned well,
    answer more unseen questions than many labels half learned. Nothing is dropped here, only put later.
    """
    hashed = sorted(rows, key=_hash)
    frequency = Counter((row.task, row.label) for row in hashed)
    met: Counter[tuple[str, str]] = Counter()
    ranked = []
    for place, row in enumerate(hashed):
        name = (row.task, row.label)
        met[name] += 1
        first = bool(row.label) and met[name] <= rows_per_label
        ranked.append((not first, -frequency[name] if first else 0, row.label if first else "", place, row))
    return [row for *_, row in sorted(ranked, key=lambda entry: entry[:-1])]


def task_groups(families: Mapping[str, str], mix: Mapping[str, float]) -> dict[str, str]:
    """The name in `mix` that weighs each task, given the family of each: its own, its family's or `other`.

    Raises ParamsError for a name that is neither a task nor a family, or a weight below 0.
    """
    unknown = sorted(set(mix) - set(families) - set(families.values()) - {OTHER})
    wrong = sorted(name for name, weight in mix.items() if not weight >= 0)
    if wrong:
        raise ParamsError(f"finetune.mix: the weight of {', '.join(wrong)} is not a number of at least 0.")
    if unknown:
        raise ParamsError(
            f"finetune.mix names no task or family of the training rows: {', '.join(unknown)}.",
            allowed=", ".join(sorted({*families, *families.values(), OTHER})),
        )
    return {task: task if task in mix else family if family in mix else OTHER for task, family in families.items()}


def _hash(row: RenderedRow) -> tuple[str, str]:
    return content_id("finetune", row.id), row.id
