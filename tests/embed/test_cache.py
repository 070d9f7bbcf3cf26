"""Vectors are made once per text and encoder, survive a kill, and are refused if they do not fit."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.embed.cache import VectorCache, remove_others
from stages.errors import InputError

asked: list[str] = []


def encode(texts: Sequence[str]) -> np.ndarray:
    """Three numbers that float16 cannot hold exactly."""
    asked.extend(texts)
    return np.array([[len(text) / 7, text.count("a") / 3, 1.0] for text in texts], dtype=np.float32)


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


def complete(path: Path, texts: Sequence[str], key: str = "one", dimensions: int = 3) -> np.ndarray:
    with VectorCache(key, dimensions, path) as cache:
        return cache.complete(texts, encode)


def test_a_text_is_encoded_once_and_the_second_run_gives_equal_bytes(tmp_path: Path) -> None:
    texts = ["a", "", "bb", "a", "\x00 \u202e", "a" * 5000]
    first = complete(tmp_path / "v.sqlite", texts)
    assert sorted(asked) == sorted(set(texts)) and first.dtype == np.float32 and first.shape == (6, 3)
    asked.clear()
    assert np.array_equal(complete(tmp_path / "v.sqlite", texts[::-1])[::-1], first) and asked == []
    assert complete(tmp_path / "v.sqlite", []).shape == (0, 3)


def test_another_encoder_has_its_own_vectors(tmp_path: Path) -> None:
    complete(tmp_path / "v.sqlite", ["a"])
    complete(tmp_path / "v.sqlite", ["a"], key="two")
    assert asked == ["a", "a"]


def test_vectors_of_other_encoders_can_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    complete(path, ["a", "b"], key="old")
    complete(path, ["a"], key="new")
    assert remove_others("new", path) == (2, 1) and remove_others("new", path) == (0, 1)
    asked.clear()
    complete(path, ["a"], key="new")
    assert asked == [] and remove_others("new", tmp_path / "none.sqlite") == (0, 0)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match="cannot be used"):
        remove_others("new", path)


def test_a_vector_of_another_length_is_refused_with_the_file_and_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    complete(path, ["a", "b"])
    with pytest.raises(InputError, match=r"v\.sqlite .*6 bytes where 8 are wanted") as error:
        complete(path, ["a"], dimensions=4)
    assert "delete the file" in str(error.value)


def test_a_damaged_file_is_refused_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match="cannot be used"):
        complete(path, ["a"])
    assert path.read_bytes().startswith(b"no database")


def test_what_was_made_before_a_kill_is_kept(tmp_path: Path) -> None:
    """The second chunk kills its own process: the first is there."""
    program = f"""
import os, signal
import numpy as np
import stages.embed.cache as vectors
vectors.CHUNK = 2
made = []
def encode(texts):
    if made:
        os.kill(os.getpid(), signal.SIGKILL)
    made.append(texts)
    return np.ones((len(texts), 3), dtype=np.float32)
from pathlib import Path
with vectors.VectorCache("one", 3, Path({str(tmp_path / "v.sqlite")!r})) as cache:
    cache.complete(["a", "bb", "ccc", "dddd"], encode)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=os.getcwd(), env={**os.environ, "PYTHONPATH": os.getcwd()}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    complete(tmp_path / "v.sqlite", ["a", "bb", "ccc", "dddd"])
    assert asked == ["ccc", "dddd"]


def test_two_processes_may_fill_one_file(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with VectorCache("one", 3, path) as first, VectorCache("one", 3, path) as second:
        first.complete(["a"], encode)
        second.complete(["a", "b"], encode)
        first.complete(["a", "b"], encode)
    assert asked == ["a", "b"]
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone() == (2,)
