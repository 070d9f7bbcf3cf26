import math

import pytest

from stages.evaluate.consistency import consistency, fleiss_kappa
from stages.evaluate.schema import Prediction

SETTINGS = {"confidence": 0.95, "resamples": 200, "seed": 1}


def answers(system: str, letters: str, key: str = "AAAA") -> list[Prediction]:
    """One answer per letter; `-` cannot be read."""
    return [
        Prediction(
            system=system,
            benchmark="secforge-mcq",
            protocol="loglikelihood",
            item_id=str(number),
            output=letter,
            parsed=[] if letter == "-" else [letter],
            parsed_ok=letter != "-",
            correct=letter == right,
        )
        for number, (letter, right) in enumerate(zip(letters, key, strict=True))
    ]


def figures(*predictions: list[Prediction]) -> dict:
    made = consistency([one for some in predictions for one in some], SETTINGS)
    return made["secforge-mcq"]["loglikelihood"]["base"]


def test_equal_is_the_same_key_in_every_variation() -> None:
    found = figures(answers("base", "ABCD"), answers("base+whole", "ABCA"), answers("base+steps", "ABAA"))
    assert (found["n"], found["equal"], found["share_equal"]) == (4, 2, 0.5)
    assert found["variations"] == ["none", "steps", "whole"]
    assert found["agreement"] == {"none/steps": 0.5, "none/whole": 0.75, "steps/whole": 0.75}
    assert found["low"] < 0.5 < found["high"]


def test_an_answer_that_cannot_be_read_is_equal_to_nothing() -> None:
    found = figures(answers("base", "A--A"), answers("base+whole", "A-AA"))
    assert found["equal"] == 2 and found["agreement"]["none/whole"] == 0.5
    assert found["accuracy"]["none"]["unparseable"] == 2 and found["accuracy"]["none"]["correct"] == 2


def test_always_the_same_letter_is_consistent_and_shown_to_be_nothing() -> None:
    found = figures(answers("base", "AAAA"), answers("base+whole", "AAAA"))
    assert found["share_equal"] == 1.0 and found["fleiss_kappa"] is None
    assert found["accuracy"]["whole"]["commonest_answer"] == 1.0


def test_only_items_of_every_variation_count() -> None:
    found = figures(answers("base", "ABCD"), answers("base+whole", "ABCD")[:2])
    assert found["n"] == 2 and found["accuracy"]["none"]["n"] == 2


def test_each_variation_is_compared_with_the_question_alone() -> None:
    found = figures(answers("base", "BBBB"), answers("base+whole", "AAAA"))
    assert found["against_none"]["whole"]["difference"] == 1.0
    assert found["against_none"]["whole"]["mcnemar_p"] == 0.125


def test_without_variations_there_is_nothing() -> None:
    assert consistency(answers("base", "ABCD") + answers("finetuned", "ABCD"), SETTINGS) == {}


@pytest.mark.parametrize(
    ("items", "kappa"), [([("A", "A"), ("B", "B")], 1.0), ([("A", "B"), ("B", "A")], -1.0), ([("A", "A"), ("A", "A")], math.nan)]
)
def test_kappa_corrects_for_the_frequencies(items: list, kappa: float) -> None:
    found = fleiss_kappa([[(letter,) for letter in row] for row in items])
    assert found == pytest.approx(kappa, nan_ok=True)
