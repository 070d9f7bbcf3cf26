"""Leaks planted in each format of benchmark file; the table at full size is `python -m tests.timings decontaminate_recall`."""

from pathlib import Path

import pytest

from tests.timings.decontaminate_recall import FORMATS, recall

SURE = ("verbatim", "re-cased", "re-wrapped", "prefixed", "id-only")


@pytest.mark.parametrize("name", FORMATS)
def test_word_for_word_leaks_are_found_and_clean_rows_are_not(name: str, tmp_path: Path) -> None:
    found, dropped = recall(name, tmp_path, clean=1_000, count=100)
    assert dropped == 0
    assert all(found[kind].found >= 0.99 * found[kind].planted for kind in SURE)
    assert found["truncated"].found >= 0.8 * found["truncated"].planted  # below 22 words, 60 % are no 13 words
    assert found["id-only"].planted == (100 if name == "rcm.tsv" else 0)
