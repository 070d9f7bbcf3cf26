from pathlib import Path

import numpy as np

from stages.validate import semantic
from stages.validate.duplicates import remove_duplicates
from stages.validate.params import DuplicateParams
from stages.validate.semantic import load_encoder, semantic_pairs
from tests.validate.samples import row

PARAMS = DuplicateParams()
SAME = {"quickly": "fast", "rapidly": "fast", "purges": "erase", "deletes": "erase", "records": "logs"}


class Synonyms:
    """Bag of words in which synonyms are one word: what an encoder knows and shingles do not."""

    name = "synonyms"

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def encode(self, texts: list[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 500), np.float32)
        for place, text in enumerate(texts):
            for word in text.casefold().split():
                vectors[place, self.places.setdefault(SAME.get(word, word), len(self.places))] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    learn = encode


def pairs(*rows: object, keys: list[str] | None = None) -> dict:
    return semantic_pairs(rows, keys or ["" for _ in rows], Synonyms(), 0.96)


ONE = row(1, id="a", instruction="Explain what the tool deletes.", answer="It quickly purges the records of the host.")
TWO = row(2, id="b", instruction="Explain what the tool deletes.", answer="It rapidly deletes the logs of the host.")


def test_the_same_in_other_words_is_a_pair_also_about_another_subject() -> None:
    assert list(pairs(ONE, TWO)) == [(0, 1)]
    kept = remove_duplicates([ONE, TWO], PARAMS, Synonyms())
    assert [one.id for one in kept.rows] == ["a"] and kept.rejects[0].reason == "duplicate-semantic"
    assert kept.pairs["near"] == {"within_train": 0, "within_dev": 0, "train_and_dev": 0}
    assert kept.pairs["semantic"] == {"within_train": 1, "within_dev": 0, "train_and_dev": 0}


def test_siblings_of_a_template_about_different_things_are_none() -> None:
    long = "the same long sentence about how a flaw of this kind comes about and what is to be done against it by whom"
    rows = [
        row(number, id=f"r{number}", instruction=f"Tell of {name}.", answer=long)
        for number, name in enumerate(("CWE-771", "CWE-773"))
    ]
    vectors = Synonyms().encode([one.answer for one in rows])
    assert vectors[0] @ vectors[1] > 0.99 and pairs(*rows) == {}


def test_another_task_another_key_or_another_question_is_none() -> None:
    assert pairs(ONE, row(2, id="b", task="cwe-detection", instruction=TWO.instruction, answer=TWO.answer)) == {}
    assert pairs(ONE, TWO, keys=["A", "B"]) == {}
    assert pairs(ONE, row(2, id="b", instruction="Advise on something else entirely.", answer=TWO.answer)) == {}


def test_without_an_encoder_nothing_is_counted_as_none_found(tmp_path: Path) -> None:
    result = remove_duplicates([ONE, TWO], PARAMS)
    assert result.pairs["semantic"] == "not checked" and len(result.rows) == 2
    assert load_encoder(tmp_path) is None


def test_blocks_and_batches_change_nothing(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    rows = [
        row(number, id=f"{number:02}", instruction=ONE.instruction, answer=(ONE, TWO)[number % 2].answer) for number in range(9)
    ]
    whole = pairs(*rows)
    assert len(whole) == 36
    monkeypatch.setattr(semantic, "_BLOCK", 2)
    monkeypatch.setattr(semantic, "_BATCH", 1)
    assert set(pairs(*rows)) == set(whole)
