"""The blind second reader: which tried rewrite to read next, and what the reader said of it.

A reader sees instruction, original and rewrite, and none of what checks, judge, reviewers or the other reader said.
"""

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from stages.errors import InputError
from stages.formats.readings import VERDICTS, Reading, append_reading
from stages.review.schema import RowResult, Version
from stages.tables import content_id


class Candidate(msgspec.Struct, frozen=True):
    """A tried row; `item` is what `Reading.item` calls the same rewrite."""

    run_id: str
    row_id: str
    item: tuple[str, str, str, str]


def candidate(version: Version, result: RowResult) -> Candidate:
    """The rewrite of a result as something to read."""
    return Candidate(result.run_id, result.row_id, (version.task, version.form.sha256, result.row_id, sha256(result.rewrite)))


def order(candidates: Iterable[Candidate], readings: Sequence[Reading], reader: str) -> list[Candidate]:
    """What `reader` may still read: those with one reading by somebody else first, else by a hash that tells nothing."""
    readers: dict[tuple[str, ...], list[str]] = {}
    for reading in readings:
        readers.setdefault(reading.item, []).append(reading.reader.casefold())
    open_ones = {
        one.item: one
        for one in candidates
        if reader.casefold() not in readers.get(one.item, []) and len(readers.get(one.item, [])) < 2
    }
    return sorted(open_ones.values(), key=lambda one: (-len(readers.get(one.item, [])), content_id("reading", *one.item)))


def record(
    folder: Path, readings: Sequence[Reading], one: Candidate, reader: str, verdict: str, note: str, *, blind: bool
) -> Reading:
    """Append the reading in the place that is due; the second place is for a reader who has seen no verdict.

    Raises InputError for another verdict, or a reader or a row that is through, or one who is not blind.
    """
    if verdict not in VERDICTS:
        raise InputError(f"`{verdict[:40]}` is no verdict.", allowed=", ".join(VERDICTS))
    earlier = [reading for reading in readings if reading.item == one.item]
    if any(reading.reader.casefold() == reader.casefold() for reading in earlier):
        raise InputError(
            f"{reader} has read this rewrite of row {one.row_id} already.",
            remedy="A second reading is another person's: let somebody else read it, or read another row.",
        )
    if len(earlier) >= 2:
        raise InputError(f"two people have read this rewrite of row {one.row_id} already.", remedy="Read another row.")
    if earlier and not blind:
        raise InputError(
            f"somebody else has read this rewrite of row {one.row_id}; the second reading is a blind one.",
            remedy="Read it under `Second reader`, or with `python -m stages.formats read`, where no verdict is shown.",
        )
    place: Literal["first", "second"] = "second" if earlier else "first"
    task, format_sha256, row_id, rewrite_sha256 = one.item
    reading = Reading(
        task=task,
        format_sha256=format_sha256,
        row_id=row_id,
        rewrite_sha256=rewrite_sha256,
        reader=reader,
        place=place,
        verdict=verdict,  # type: ignore[arg-type]
        note=note,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    append_reading(folder, reading)
    return reading


def sha256(text: str) -> str:
    """64 hex digits of the UTF-8 text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
