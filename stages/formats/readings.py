"""Second readings: what two people said about the same rewrite without knowing of each other, kept in git by task.

`readings/<task>.jsonl` holds verdicts and ids only, never the text of a row: its licence stays with its tables.
"""

import fcntl
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from stages.errors import InputError
from stages.formats.library import TASK_NAME

READINGS = Path(__file__).parent / "readings"
MAX_BYTES = 16 << 20  # of one task's file: some 40,000 readings
VERDICTS = ("accept", "reject")


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's verdict on one rewrite."""

    task: str
    format_sha256: str  # of the text of the format that was tried
    row_id: str
    rewrite_sha256: str
    reader: str
    place: Literal["first", "second"]  # the second reader has not seen the first one's verdict
    verdict: Literal["accept", "reject"]
    note: str
    date: str

    @property
    def item(self) -> tuple[str, str, str, str]:
        """What was read: two readings of the same item are a pair."""
        return self.task, self.format_sha256, self.row_id, self.rewrite_sha256


def load_readings(folder: Path = READINGS) -> list[Reading]:
    """Every reading of `folder`, by task and in the order of writing. Raises InputError that names file and line."""
    return [reading for path in sorted(folder.glob("*.jsonl")) for reading in _read(path, path.read_bytes())]


def append_reading(folder: Path, reading: Reading) -> None:
    """Add one line under a lock. Raises InputError if this reader has read it, or its place is taken or not yet due."""
    if not TASK_NAME.fullmatch(reading.task):
        raise InputError(f"`{reading.task[:80]}` is no task name.", allowed="small letters and digits, joined by single hyphens")
    if not reading.reader.strip():
        raise InputError("A reading needs its reader's name.", remedy="Give the name with --reviewer.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{reading.task}.jsonl"
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        content = file.read()
        _check_place(reading, [one for one in _read(path, content) if one.item == reading.item])
        torn = bool(content) and not content.endswith(b"\n")  # an editor left out the last line's end
        file.write(b"\n" * torn + msgspec.json.encode(reading) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def agreement(readings: Iterable[Reading]) -> dict[str, Any]:
    """How often second readers agree with first ones: for all tasks (`all`) and for each of them (`tasks`).

    Each entry: `pairs` read twice, `agreed`, `share`, `kappa` (Cohen 1960; None without pairs, or if both
    readers gave one and the same verdict throughout: chance then explains everything).
    """
    by_task: dict[str, list[tuple[str, str]]] = {}
    for first, second in pairs(readings):
        by_task.setdefault(first.task, []).append((first.verdict, second.verdict))
    every = [verdicts for task in sorted(by_task) for verdicts in by_task[task]]
    return {"all": _agreement(every), "tasks": {task: _agreement(by_task[task]) for task in sorted(by_task)}}


def pairs(readings: Iterable[Reading]) -> list[tuple[Reading, Reading]]:
    """First and second reading of every item that two different people have read."""
    places: dict[tuple[str, ...], dict[str, Reading]] = {}
    for reading in readings:
        places.setdefault(reading.item, {}).setdefault(reading.place, reading)
    found = [(item["first"], item["second"]) for _, item in sorted(places.items()) if len(item) == 2]
    return [(first, second) for first, second in found if _person(first) != _person(second)]


def _person(reading: Reading) -> str:
    return " ".join(reading.reader.split()).casefold()


def _agreement(verdicts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    agreed = sum(first == second for first, second in verdicts)
    share = agreed / len(verdicts) if verdicts else None
    return {"pairs": len(verdicts), "agreed": agreed, "share": _rounded(share), "kappa": _rounded(_kappa(verdicts))}


def _kappa(verdicts: Sequence[tuple[str, str]]) -> float | None:
    """Agreement beyond what the two readers' shares of each verdict give by chance; None where chance is 1."""
    total = len(verdicts)
    if not total:
        return None
    firsts, seconds = zip(*verdicts, strict=True)
    chance = sum(firsts.count(verdict) * seconds.count(verdict) for verdict in VERDICTS) / total**2
    share = sum(first == second for first, second in verdicts) / total
    return None if chance == 1 else (share - chance) / (1 - chance)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _check_place(reading: Reading, earlier: Sequence[Reading]) -> None:
    """The same person never reads an item twice; the first place comes first, and each place is taken once."""
    if any(_person(one) == _person(reading) for one in earlier):
        raise InputError(
            f"{reading.reader} has read this rewrite of row {reading.row_id} already.",
            remedy="A second reading is another person's: let somebody else read it, or read another row.",
        )
    taken = {one.place for one in earlier}
    if reading.place in taken or (reading.place == "second" and "first" not in taken):
        due = next((place for place in ("first", "second") if place not in taken), "none: it has been read twice")
        raise InputError(
            f"Row {reading.row_id} has no {reading.place} reading to give.", allowed=f"the place that is due is {due}"
        )


def _read(path: Path, content: bytes) -> list[Reading]:
    if len(content) > MAX_BYTES:
        raise InputError(f"{path} has {len(content):,} bytes.", allowed=f"at most {MAX_BYTES:,}")
    found = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            found.append(_reading(path, number, line))
    return found


def _reading(path: Path, number: int, line: bytes) -> Reading:
    try:
        reading = msgspec.json.decode(line, type=Reading)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}, line {number} is no reading: {error}.",
            remedy=f"Mend or delete the line; `git log -p {path.name}` shows it.",
        ) from error
    if reading.task != path.stem:
        raise InputError(f"{path}, line {number}: the task is `{reading.task}`, the file is that of `{path.stem}`.")
    return reading
