"""Vectors and exact search: like texts are near, hostile texts harmless, hits the same in any order and block."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.embed.encoders import Encoder, MiniLMEncoder, StaticEncoder, same_length
from stages.errors import InputError
from stages.ground.anchors import Anchors
from stages.ground.dense import DenseIndex
from tests.ground.encoder_folder import make_encoder_folder
from tests.toy_rows import make_passage

TEXTS = {
    "cwe:CWE-79": "Script injection into a page.",
    "cwe:CWE-89": "Query injection into the database statement.",
    "cwe:CWE-120": "Copy to a buffer without bounds check: memory overflow.",
    "cwe:CWE-121": "Copy to a buffer without bounds check: memory overflow.",
    "cwe:CWE-522": "Credential and password in a log file.",
}
PASSAGES = [make_passage(entity_id, text, title="a") for entity_id, text in TEXTS.items()]
HOSTILE = [
    "",
    " \n\t",
    "\x00\x01\x1b[31m",
    "\ud83d",
    "\u202e\u200b",
    "{{x}} % ] [",
    "<|im_start|>system",
    "漢字 и кириллица",
    "x" * 300_000,
]
MAKERS = [lambda folder: StaticEncoder(folder / "static"), lambda folder: MiniLMEncoder(folder / "minilm")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder_folder(tmp_path_factory.mktemp("dense"))


@pytest.fixture(params=MAKERS, ids=["static", "minilm"])
def make(request: pytest.FixtureRequest, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Encoder]:
    """A new encoder at every call; vectors are kept below `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    return lambda: request.param(folder)


def test_the_nearest_passage_comes_first_and_ties_go_by_id(make: Callable[[], Encoder]) -> None:
    for passages in (PASSAGES, PASSAGES[::-1]):
        hits = DenseIndex(passages, make()).search("memory overflow of a buffer copy without bounds check", 8)
        assert [hit.passage.entity_id for hit in hits[:2]] == ["cwe:CWE-120", "cwe:CWE-121"]
        assert hits[0].score == hits[1].score == hits[0].scores[make().name] and [hit.rank for hit in hits] == [*range(len(hits))]
    assert len(DenseIndex(PASSAGES, make()).search("memory overflow", 1)) == 1


def test_sentences_of_links_draw_a_passage_towards_their_words(make: Callable[[], Encoder]) -> None:
    sentences = ["Cloud storage bucket without a policy.", "A bucket of the cloud account."]
    anchors = Anchors({"cwe:CWE-522#text": sentences, "cwe:CWE-999#text": ["not here"]}, 0.5)
    plain, drawn = DenseIndex(PASSAGES, make()), DenseIndex(PASSAGES[::-1], make(), anchors)
    query = "bucket of the cloud storage"
    before, after = ({hit.passage.entity_id: hit.score for hit in index.search(query, 8)} for index in (plain, drawn))
    assert after["cwe:CWE-522"] > before.get("cwe:CWE-522", 0.0)
    moved = np.flatnonzero((plain._vectors != drawn._vectors).any(axis=1))
    assert [plain.passages[place].entity_id for place in moved] == ["cwe:CWE-522"]
    assert np.linalg.norm(drawn._vectors, axis=1) == pytest.approx(1, abs=2e-3)


def test_many_queries_find_what_each_finds_alone(make: Callable[[], Encoder], monkeypatch: pytest.MonkeyPatch) -> None:
    index = DenseIndex(PASSAGES, make())
    queries = ["script page", "", "password log", *(f"buffer {'check ' * n}" for n in range(9)), *HOSTILE]
    found = index.search_many(queries, 3)
    assert found == [index.search(query, 3) for query in queries]
    monkeypatch.setattr("stages.ground.dense.BLOCK", 2)
    assert index.search_many(queries, 3) == found and index.search_many([], 3) == []


def test_hostile_texts_get_a_finite_vector_and_empty_ones_find_nothing(make: Callable[[], Encoder]) -> None:
    encoder = make()
    vectors = encoder.learn(HOSTILE)
    lengths = np.linalg.norm(vectors, axis=1)
    assert vectors.dtype == np.float32 and np.isfinite(vectors).all()
    assert all(length == 0 or length == pytest.approx(1, abs=2e-3) for length in lengths) and lengths[:2].tolist() == [0, 0]
    passages = [make_passage(f"cwe:CWE-{place}", text) for place, text in enumerate(HOSTILE)]
    index = DenseIndex([*passages, *PASSAGES], make())
    assert index.search("", 5) == [] and index.search("\x00", 5) == []
    assert DenseIndex([], make()).search("buffer", 5) == []


def test_a_vector_does_not_depend_on_the_texts_beside_it(make: Callable[[], Encoder]) -> None:
    encoder = make()
    texts = [passage.text for passage in PASSAGES] + ["buffer", "a page", "buffer"]
    together = encoder.encode(texts)
    assert all(np.array_equal(encoder.encode([text])[0], vector) for text, vector in zip(texts, together, strict=True))


def test_a_rare_word_weighs_more_than_a_common_one(folder: Path) -> None:
    passages = [make_passage(f"cwe:CWE-{n}", "log file", title="a") for n in range(9)] + [
        make_passage("cwe:CWE-99", "cloud file", title="a")
    ]
    plain, learned = StaticEncoder(folder / "static"), StaticEncoder(folder / "static")
    learned.learn([passage.text for passage in passages])
    near = [float(np.dot(*encoder.encode(["cloud log", "cloud"]))) for encoder in (plain, learned)]
    assert near[1] > near[0]


def test_function_words_say_nothing_once_the_passages_are_known(folder: Path) -> None:
    plain, learned = StaticEncoder(folder / "static"), StaticEncoder(folder / "static")
    learned.learn([passage.text for passage in PASSAGES])
    pair = ["the buffer with an overflow", "buffer overflow"]
    assert np.array_equal(*learned.encode(pair)) and not np.array_equal(*plain.encode(pair))
    assert not learned.encode(["in the of a"]).any()


def test_the_vectors_are_model2vec_s_own(folder: Path) -> None:
    from model2vec import StaticModel

    texts = [passage.text for passage in PASSAGES]
    theirs = StaticModel.from_pretrained(folder / "static").encode(texts)
    assert np.allclose(StaticEncoder(folder / "static").encode(texts), theirs, atol=2e-3)


def test_minilm_reads_the_passages_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = DenseIndex(PASSAGES, MiniLMEncoder(folder / "minilm"))
    monkeypatch.setattr(MiniLMEncoder, "_states", lambda *_: pytest.fail("made again"))
    again = MiniLMEncoder(folder / "minilm").learn(["a. " + passage.text for passage in first.passages])
    assert np.array_equal(again, first._vectors)
    assert (tmp_path / ".dvc" / "secforge" / "vectors.sqlite").is_file()


def test_batches_hold_texts_of_one_length() -> None:
    tokens = [[1] * length for length in (3, 5, 3, 0, 5, 4000, 3)]
    assert same_length(tokens) == [[3], [0, 2, 6], [1, 4], [5]]


@pytest.mark.parametrize(("name", "broken"), [("static", "tokenizer.json"), ("static", "model.safetensors"), ("minilm", "config.json"),
                                              ("minilm", "tokenizer.json"), ("minilm", "model.safetensors")])  # fmt: skip
@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\x80\x04]")], ids=["gone", "damaged"]
)
def test_a_broken_folder_names_the_place_and_the_remedy(
    folder: Path, tmp_path: Path, name: str, broken: str, damage: Callable[[Path], object]
) -> None:
    copy = shutil.copytree(folder, tmp_path / "encoder")
    damage(copy / name / broken)
    with pytest.raises(InputError) as error:
        {"static": StaticEncoder, "minilm": MiniLMEncoder}[name](copy / name)
    assert str(copy / name) in str(error.value) and "dvc repro --force encoder" in str(error.value)


@pytest.mark.parametrize("rows", [3, 0])
def test_a_table_that_does_not_fit_its_tokenizer_is_refused(folder: Path, tmp_path: Path, rows: int) -> None:
    from safetensors.numpy import save_file

    copy = shutil.copytree(folder / "static", tmp_path / "static")
    save_file({"embeddings": np.zeros((rows, 16), dtype=np.float16)}, copy / "model.safetensors")
    with pytest.raises(InputError, match="does not fit its tokenizer"):
        StaticEncoder(copy)
