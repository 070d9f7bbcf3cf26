"""The predictions of a run, appended as they come, one JSON line each; a killed run goes on where it stopped.

Beside `FILE` stands `FILE.run.json`: what was asked of which model. Only a run of the same settings may go on with a file.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from stages.errors import InputError
from stages.tables import write_json


class Predictions:
    """An open file of predictions. `done` holds those of earlier runs by item id; half a line at its end is cut off."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path, self.done = path, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.run.json")
        if path.exists():
            _check_settings(path, beside, settings)
            self.done = _read(path)
        else:
            write_json(beside, settings)
        self._file: IO[bytes] = open(path, "ab")  # noqa: SIM115 - closed on exit

    def __enter__(self) -> "Predictions":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Append records, each with an `item_id`, in one write, and see them on the disk."""
        lines = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in records)
        self._file.write(lines.encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self.done |= {str(record["item_id"]): dict(record) for record in records}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Whole lines by item id; what follows the last line end is cut off. Raises InputError for a line of another form."""
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            record = json.loads(line)
            found[record["item_id"]] = record
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}: no prediction ({error}).", remedy="Name another --out, or delete the file."
            ) from error
    if len(whole) < len(content):
        with open(path, "r+b") as file:
            file.truncate(len(whole))
    return found


def _check_settings(path: Path, beside: Path, settings: Mapping[str, Any]) -> None:
    try:
        before = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is there, but {beside} cannot be read: {error}", remedy="Name another --out, or delete the file."
        ) from error
    changed = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
    if changed:
        raise InputError(
            f"{path} holds predictions of another run: {', '.join(f'{name} was {before.get(name)!r}' for name in changed)}.",
            allowed=", ".join(f"{name} {settings.get(name)!r}" for name in changed),
            remedy="Name another --out, or delete the file.",
        )
