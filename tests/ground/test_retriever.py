"""One interface over the engines of the params: joined by score, the same in any order, clear if files are missing."""

import random
from pathlib import Path

import msgspec
import pytest

from stages.config import load_section
from stages.errors import InputError, ParamsError
from stages.ground.params import GroundParams
from stages.ground.retrieve import PassageIndex
from stages.ground.retriever import Retriever, open_engine, open_retriever
from stages.runtime import RuntimeParams
from tests.ground.encoder_folder import make_encoder_folder
from tests.tiny_encoder import WORDS
from tests.toy_rows import make_passage

DRAW = random.Random(5)
PASSAGES = [make_passage(f"cwe:CWE-{n}", " ".join(DRAW.choices(WORDS.split(), k=DRAW.randint(2, 12)))) for n in range(1, 80)]
QUERIES = [" ".join(DRAW.choices(WORDS.split(), k=4)) for _ in range(30)] + ["", "\x00\ud83d", "the of and"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder_folder(tmp_path_factory.mktemp("retriever"))


def test_a_hit_has_the_mean_of_the_engines_scores_each_by_its_best(encoder: Path) -> None:
    retriever = open_retriever(PASSAGES, GroundParams(engines=("bm25", "static")), encoder, RuntimeParams())
    lexical = retriever.lexical
    alone = [open_engine(name, lexical, encoder, RuntimeParams()).search_many(QUERIES, 80) for name in ("bm25", "static")]
    for found, *lists in zip(retriever.search_many(QUERIES, 80), *alone, strict=True):
        expected: dict[str, float] = {}
        for hits in lists:
            for hit in hits:
                expected[hit.passage.id] = expected.get(hit.passage.id, 0.0) + hit.score / hits[0].score / 2
        assert {hit.passage.id: pytest.approx(hit.score, abs=1e-3) for hit in found} == expected
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
        assert [hit.rank for hit in found] == list(range(len(found)))
        of_engine = {
            name: {hit.passage.id: hit.score for hit in hits} for name, hits in zip(("bm25", "static"), lists, strict=True)
        }
        assert all(
            hit.scores == {name: of[hit.passage.id] for name, of in of_engine.items() if hit.passage.id in of} for hit in found
        )


@pytest.mark.parametrize("engines", [("bm25",), ("static",), ("minilm",), ("bm25", "static", "minilm")])
def test_passages_and_engines_in_any_order_give_equal_hits(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engines: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    shuffled = DRAW.sample(PASSAGES, len(PASSAGES))
    one = open_retriever(PASSAGES, GroundParams(engines=engines), encoder, RuntimeParams())  # type: ignore[arg-type]
    other = open_retriever(shuffled, GroundParams(engines=engines[::-1]), encoder, RuntimeParams())  # type: ignore[arg-type]
    found = one.search_many(QUERIES, 5)
    assert found == other.search_many(QUERIES, 5) == [one.search(query, 5) for query in QUERIES]
    assert one.lexical.passages == other.lexical.passages and all(len(hits) == 5 for hits in found[:-3])
    assert found[-3] == [] and found[-2] == []


def test_bm25_alone_needs_no_encoder() -> None:
    plain = open_retriever(PASSAGES, GroundParams(), Path("nowhere"), RuntimeParams())
    assert plain.search_many(QUERIES, 5) == Retriever(PassageIndex(PASSAGES)).search_many(QUERIES, 5)
    assert plain.engines == [plain.lexical]


def test_an_engine_whose_files_are_not_there_is_an_error_with_a_remedy() -> None:
    for name in ("static", "minilm"):
        with pytest.raises(InputError, match=r"tokenizer\.json does not exist") as error:
            open_retriever(PASSAGES, GroundParams(engines=("bm25", name)), Path("nowhere"), RuntimeParams())  # type: ignore[arg-type]
        assert "ground.engines" in str(error.value)


@pytest.mark.parametrize("engines", [[], ["bm25", "bm25"], ["bm42"], "bm25"])
def test_the_list_of_engines_is_checked(engines: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"engines": engines}, GroundParams)


@pytest.mark.parametrize("weight", ["-0.1", "10.1", ".inf", "-.inf", ".nan"])
def test_a_weight_of_sentences_that_is_none_is_refused(tmp_path: Path, weight: str) -> None:
    (tmp_path / "params.yaml").write_text(f"ground: {{anchors: {weight}}}\n", encoding="utf-8")
    with pytest.raises(ParamsError, match="anchors"):
        load_section("ground", GroundParams, tmp_path / "params.yaml")
