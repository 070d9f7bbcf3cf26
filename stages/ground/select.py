"""Which rows are grounded and rewritten: spread over families and tasks, the same on every machine."""

from collections.abc import Mapping, Sequence

from stages.formats.schema import Format
from stages.ground.text import tokens
from stages.tables import content_id
from stages.tasks.schema import InstructionRow


def select_rows(
    rows: Sequence[InstructionRow], formats: Mapping[str, Format], count: int, row_tokens: int
) -> tuple[list[InstructionRow], dict[str, int]]:
    """`count` rows (0: all that can be), and how many were passed over for which reason.

    Families take turns, inside a family its tasks, inside a task the order of content hashes: adding a row
    to one task moves no other task's choice.
    """
    passed = {"other-split": 0, "no-format": 0, "format-keeps-template": 0, "too-long": 0}
    queues: dict[str, dict[str, list[InstructionRow]]] = {}
    for row in sorted(rows, key=lambda row: content_id("ground", row.id)):
        reason = _why_not(row, formats, row_tokens)
        if reason:
            passed[reason] += 1
        else:
            queues.setdefault(row.family, {}).setdefault(row.task, []).append(row)
    families = [_take_turns([queue[task] for task in sorted(queue)]) for _, queue in sorted(queues.items())]
    candidates = _take_turns(families)
    return (candidates[:count] if count else candidates), {**passed, "candidates": len(candidates)}


def _why_not(row: InstructionRow, formats: Mapping[str, Format], row_tokens: int) -> str:
    if row.split != "train":
        return "other-split"
    if row.task not in formats:
        return "no-format"
    if not formats[row.task].rewrite:
        return "format-keeps-template"
    return "too-long" if tokens(row.instruction) + tokens(row.answer) > row_tokens else ""


def _take_turns(queues: Sequence[Sequence[InstructionRow]]) -> list[InstructionRow]:
    """The first of each queue, then the second of each, and so on."""
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
