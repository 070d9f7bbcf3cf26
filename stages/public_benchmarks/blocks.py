"""Responses as text blocks with a line `#####n#####` each, as CTI-Bench publishes its logs.

The line stands before each text, after each, or between them: where text lies tells which. The form of one separator, its
number of `#`, is that of all: a heading `### 1 ###` within an answer parts nothing.
"""

import itertools
import re
from pathlib import Path
from typing import NamedTuple

from stages.public_benchmarks.items import Items
from stages.public_benchmarks.placing import disagreement, fits, in_order, refuse_count

USUAL = ("#####", "#####")
_SEPARATOR = re.compile(r"[ \t]*(#{3,20})[ \t]*(\d{1,7})[ \t]*(#{3,20})[ \t]*")
_PROBED = 3  # lines of a file in which its first separator stands, if its ending says that it is a table


class Blocks(NamedTuple):
    """Texts in the order of the items, and what a reader of the scores should know."""

    texts: list[str]
    notes: list[str]


def begins_with_block(path: Path) -> bool:
    """Whether a separator is among the first lines of a file."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return any(_SEPARATOR.fullmatch(line.rstrip("\n")) for _, line in zip(range(_PROBED), file, strict=False))


def read_blocks(path: Path, text: str, items: Items) -> Blocks | None:
    """The blocks of a text, None if it has no separator. Raises InputError if they do not fit the items."""
    numbers, pieces = split_blocks(text)
    if not numbers:
        return None
    between = numbers in (list(range(first, first + len(numbers))) for first in (0, 1)) and fits(len(pieces), items)
    if pieces[0] and pieces[-1] and between and not fits(len(numbers), items):
        return Blocks(pieces, ["lines #####n##### are read as standing between the responses"])
    notes, texts = [], pieces[1:]
    if pieces[0] and not pieces[-1]:
        notes, texts = ["lines #####n##### are read as standing after the responses"], pieces[:-1]
    elif pieces[0]:
        notes = [f"{len(pieces[0]):,} characters before the first line #####n##### are left out"]
    order = in_order(numbers) if fits(len(numbers), items) else None
    if order is None:
        refuse_count(path, "blocks", len(numbers), items, disagreement(numbers, items.rows))
    if numbers[0] > 1 and order == list(range(len(numbers))):
        notes.append(f"blocks are numbered from {numbers[0]:,} to {numbers[-1]:,}: they are taken in their order")
    return Blocks([texts[entry] for entry in order], notes)


def split_blocks(text: str) -> tuple[list[int], list[str]]:
    """Numbers of the separators, and the stripped texts before, between and after them: one more than there are numbers."""
    lines = text.split("\n")
    found = [(place, match) for place, line in enumerate(lines) if (match := _SEPARATOR.fullmatch(line))]
    forms = [(match[1], match[3]) for _, match in found]
    form = USUAL if USUAL in forms else forms[0] if forms else USUAL
    parting = [(place, int(match[2])) for place, match in found if (match[1], match[3]) == form]
    ends = [-1, *(place for place, _ in parting), len(lines)]
    pieces = ["\n".join(lines[start + 1 : end]).strip() for start, end in itertools.pairwise(ends)]
    return [number for _, number in parting], pieces
