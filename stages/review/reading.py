"""The blind second reader: which tried rewrite to read next, and what the reader said of it.

A reader sees instruction, original and rewrite, and none of what checks, judge, reviewers or the other reader said.
"""

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from stages.errors import InputError
from stages.formats.readings import VERDICTS, Reading, agreement, append_reading, load_readings
from stages.review.editions import Editions
from stages.review.locks import exclusive
from stages.review.results import Results
from stages.review.schema import BlindPair, RowResult, Version
from stages.state import state_dir
from stages.tables import content_id


class Candidate(msgspec.Struct, frozen=True):
    """A tried row; `item` is what `Reading.item` calls the same rewrite."""

    run_id: str
    row_id: str
    item: tuple[str, str, str, str]


class SecondReaders:
    """The readings in `folder`, and the tried rewrites that could be read."""

    def __init__(self, folder: Path, editions: Editions, results: Results) -> None:
        self.folder, self.editions, self.results = folder, editions, results

    def next_pair(self, reader: str) -> BlindPair | None:
        """What `reader` should read next; None if nothing is left."""
        for one in order(self._candidates(), load_readings(self.folder), reader):
            try:
                row = self.editions.workspace.row(one.row_id)
            except InputError:  # tried in an earlier build that had other rows
                continue
            return BlindPair(
                run_id=one.run_id, row_id=row.id, task=row.task, instruction=row.instruction, original=row.answer,
                rewrite=self._result(one.run_id, one.row_id).rewrite,
            )  # fmt: skip
        return None

    def read(self, run_id: str, row_id: str, reader: str, verdict: str, note: str, *, blind: bool) -> Reading:
        """As `record`; one reader at a time, over all processes."""
        result = self._result(run_id, row_id)
        one = candidate(self.editions.version(self.results.run(run_id).version_id), result)
        with exclusive(state_dir() / "review-readings.lock"):
            return record(self.folder, load_readings(self.folder), one, reader, verdict, note, blind=blind)

    def agreement(self) -> dict[str, Any]:
        """Of the two readers per task and in all, as `stages.formats.readings.agreement` tells it."""
        return agreement(load_readings(self.folder))

    def _candidates(self) -> list[Candidate]:
        """Every rewrite that somebody could read."""
        runs = self.results.runs.listed()
        versions = {version_id: self.editions.version(version_id) for version_id in {run.version_id for run in runs}}
        return [
            candidate(versions[run.version_id], result)
            for run in runs
            for result in self.results.runs.results(run.id)
            if result.rewrite and not result.error
        ]

    def _result(self, run_id: str, row_id: str) -> RowResult:
        found = self.results.runs.result(run_id, row_id)
        if found is None or not found.rewrite:
            raise InputError(f"the run {run_id[:40]!r} has no rewrite of the row {row_id[:40]!r}.")
        return found


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
