"""Vectors of texts from earlier runs, beside the response cache: one SQLite file for all projects of this clone.

A row is keyed by the encoder and by the text's hash. Rows are committed while they are made, so that a killed run keeps
them, and two processes may fill the file at once.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from stages.errors import InputError
from stages.progress import progress
from stages.state import state_dir

if TYPE_CHECKING:
    import numpy as np

CHUNK = 2_048  # texts between two commits: ten seconds of work
PATIENT = 60.0  # seconds to wait for another process's commit
ASKED = 500  # keys of one question; SQLite takes a thousand


def vectors_file() -> Path:
    """One for all projects of this clone."""
    return state_dir() / "vectors.sqlite"


def remove_others(encoder: str, path: Path | None = None) -> tuple[int, int]:
    """Remove the vectors of every encoder but `encoder` and give their room back; how many went and how many are left.

    Raises InputError for a file that is damaged or that another process is filling.
    """
    file = path or vectors_file()
    if not file.is_file():
        return 0, 0
    database = sqlite3.connect(file, timeout=PATIENT)
    try:
        with database:
            removed = database.execute("DELETE FROM vectors WHERE encoder != ?", [encoder]).rowcount
        database.execute("VACUUM")
        (left,) = database.execute("SELECT count(*) FROM vectors").fetchone()
    except sqlite3.Error as error:
        raise unusable(file, error) from error
    finally:
        database.close()
    return removed, left


class VectorCache:
    """Vectors of `dimensions` numbers by the encoder `key`, kept as float16: 768 bytes for 384 numbers.

    Vectors that are made now are rounded to float16 as well, so that a run with the cache and one without give the same
    hits. Raises InputError for a file that is damaged or holds vectors of another length.
    """

    def __init__(self, key: str, dimensions: int, path: Path | None = None) -> None:
        self.key, self.dimensions = key, dimensions
        self.path = path or vectors_file()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(self.path, timeout=PATIENT)
            self._database.execute("PRAGMA journal_mode=WAL")
            columns = "encoder TEXT, text TEXT, vector BLOB, PRIMARY KEY (encoder, text)"
            self._database.execute(f"CREATE TABLE IF NOT EXISTS vectors ({columns}) WITHOUT ROWID")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def complete(self, texts: Sequence[str], encode: "Callable[[Sequence[str]], np.ndarray]") -> "np.ndarray":
        """The vector of every text, float32 of (texts, dimensions); `encode` is asked for those that are not here."""
        import numpy as np

        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        found = self._stored(sorted(set(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        new = sorted(missing, key=lambda key: (len(missing[key]), key))  # of like lengths together: full batches
        with progress(total=len(new), label="vectors", unit="passages") as bar:
            for start in range(0, len(new), CHUNK):
                chunk = new[start : start + CHUNK]
                made = encode([missing[key] for key in chunk]).astype(np.float16)
                self._store([(self.key, key, vector.tobytes()) for key, vector in zip(chunk, made, strict=True)])
                found.update(zip(chunk, made, strict=True))
                bar.update(len(chunk))
        return np.array([found[key] for key in keys], dtype=np.float32).reshape(len(keys), self.dimensions)

    def _stored(self, keys: Sequence[str]) -> "dict[str, np.ndarray]":
        import numpy as np

        found: dict[str, np.ndarray] = {}
        for start in range(0, len(keys), ASKED):
            asked = keys[start : start + ASKED]
            marks = ", ".join("?" * len(asked))
            rows = self._all(f"SELECT text, vector FROM vectors WHERE encoder = ? AND text IN ({marks})", [self.key, *asked])
            for key, blob in rows:
                if len(blob) != 2 * self.dimensions:
                    raise self._unusable(f"a vector has {len(blob)} bytes where {2 * self.dimensions} are wanted")
                found[key] = np.frombuffer(blob, dtype=np.float16)
        return found

    def _all(self, query: str, values: Sequence[str]) -> list[tuple[str, bytes]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _store(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        try:
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, why: object) -> InputError:
        return unusable(self.path, why)


def unusable(path: Path, why: object) -> InputError:
    """The one error of this module."""
    return InputError(
        f"the vectors kept in {path} cannot be used: {why}.",
        remedy="Free space if its disk is full; else delete the file (vectors are made again), and run again.",
    )
