"""The judge is examined before it decides: able judges pass, chance fails, and a preference for a place or for length shows."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from stages.enrich.calibration import Answered, Pair, calibrate, length_bias, load_pairs, report, tail
from stages.enrich.params import Calibration, EnrichParams
from stages.errors import InputError
from stages.llm.client import Request
from tests import fake_teacher
from tests.fake_client import Answer, FakeClient, by_behaviour

GOOD = {pair.good for pair in load_pairs(0)}
LENGTHS = {text: (len(text), len(other)) for p in load_pairs(0) for text, other in ((p.good, p.spoilt), (p.spoilt, p.good))}


def examined(answer: Answer, pairs: int = 0) -> dict:
    params = EnrichParams(calibration=Calibration(pairs=pairs))
    return asyncio.run(calibrate(FakeClient(answer), params, 4))  # type: ignore[arg-type]


def asked(request: Request) -> dict[str, str]:
    return fake_teacher.split_fences(request.messages[-1]["content"])[1]


def able(request: Request) -> str:
    """Right about every pair."""
    data = asked(request)
    if request.purpose == "enrich.factuality":
        return "9" if data["New answer"] in GOOD else "3"
    return "A" if data["Answer A"] in GOOD else "B"


def long_winded(request: Request) -> str:
    """The longer text wins, whatever it says."""
    data = asked(request)
    if request.purpose == "enrich.factuality":
        own, other = LENGTHS[data["New answer"]]
        return "9" if own > other else "3"
    return "A" if len(data["Answer A"]) > len(data["Answer B"]) else "B"


def test_an_able_judge_passes() -> None:
    found = examined(able)
    assert found["passed"] and found["accuracy"] == {"factuality": 1.0, "readability": 1.0}
    assert found["position_bias"] == 0 and found["length_bias"] == {"factuality": 0.0, "readability": 0.0}


def test_an_able_judge_passes_the_short_examination_too() -> None:
    found = examined(by_behaviour(fake_teacher.behaviour), 8)
    assert found["passed"] and found["right"] == found["decisions"] == 16
    assert found["length_bias"] == {"factuality": None, "readability": None}, "too few to tell"


def test_counting_words_and_headings_passes_neither_question_on_all_pairs() -> None:
    found = examined(by_behaviour(fake_teacher.behaviour))
    assert max(found["accuracy"].values()) < EnrichParams().calibration.accuracy and not found["passed"]


def test_a_judge_that_always_says_the_same_is_at_chance_and_its_bias_shows() -> None:
    found = examined(lambda request: "10" if request.purpose == "enrich.factuality" else "A")
    assert not found["passed"] and found["accuracy"] == {"factuality": 0.5, "readability": 0.5} and found["position_bias"] == 0.5
    assert found["length_bias"] == {"factuality": None, "readability": 0.0}, "equal scores are no preference"


def test_a_judge_of_length_fails_and_its_bias_shows() -> None:
    found = examined(long_winded)
    assert not found["passed"] and found["length_bias"] == {"factuality": 0.5, "readability": 0.5} and found["position_bias"] == 0


@pytest.mark.parametrize("shorter", [False, True])
def test_length_alone_passes_neither_question(shorter: bool) -> None:
    swap = {"9": "3", "3": "9", "A": "B", "B": "A"}
    found = examined(lambda request: swap[long_winded(request)] if shorter else long_winded(request))
    assert max(found["accuracy"].values()) < EnrichParams().calibration.accuracy


def test_length_bias_counts_only_texts_that_differ_in_length() -> None:
    def answers(good: int, spoilt: int, preferred: bool) -> list[Answered]:
        return [Answered(Pair("lost-fact", "", "", "g" * good, "s" * spoilt), [], [], None, [preferred])] * 8

    same = answers(100, 105, False)
    assert length_bias([*answers(120, 100, True), *answers(100, 120, False), *same]) == 0.5
    assert length_bias([*answers(120, 100, False), *answers(100, 120, True), *same]) == -0.5
    assert length_bias([*answers(120, 100, True), *answers(100, 120, True)]) == 0
    assert length_bias([*answers(120, 100, True), *same]) is None and length_bias([]) is None
    assert report([], Calibration())["length_bias"] == {"factuality": None, "readability": None}


@pytest.mark.parametrize("reply", ["", None, "no idea"])
def test_a_judge_that_says_nothing_fails(reply: str | None) -> None:
    assert not examined(lambda _: reply)["passed"]


def test_one_good_half_does_not_carry_the_other() -> None:
    found = examined(lambda request: "A" if request.purpose == "enrich.readability" else able(request))
    assert found["accuracy"]["factuality"] == 1.0 and not found["passed"]


def test_chance_is_the_tail_of_a_coin() -> None:
    assert tail(10, 12) == pytest.approx(79 / 4096) and tail(0, 5) == 1.0


@pytest.mark.parametrize("count", [8, 40, 80])
def test_half_of_the_pairs_examine_each_question_and_every_kind_comes_up(count: int) -> None:
    kinds = [pair.spoilt_by for pair in load_pairs(count)]
    assert set(kinds) == {"lost-fact", "changed-fact", "flipped-verdict", "new-id", "unreadable"}
    assert kinds.count("unreadable") == count // 2 == len(kinds) // 2
    rest = [kinds.count(kind) for kind in set(kinds) - {"unreadable"}]
    assert max(rest) - min(rest) <= 2, "a part of the file holds every kind about equally often"


def test_a_number_is_kept_where_one_question_has_too_few_pairs() -> None:
    everything = len(load_pairs(0))
    assert len(load_pairs(everything - 10)) == everything - 10 and len(load_pairs(10 * everything)) == everything


def test_the_pairs_of_the_default_examination_stay_as_they_are() -> None:
    """Another text here would buy every build's examination again."""
    pairs = [[pair.spoilt_by, pair.instruction, pair.reference, pair.good, pair.spoilt] for pair in load_pairs(8)]
    assert (
        hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
        == "031c252e4db2fa794ed6a24782cea298fc31300baa45adccde32e187c1f8b368"
    )


def test_a_damaged_pair_names_its_line(tmp_path: Path) -> None:
    good = {"spoilt_by": "lost-fact", "instruction": "", "reference": "", "good": "", "spoilt": ""}
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, "spoilt_by": "typo"}) + "\n")
    with pytest.raises(InputError, match=r"pairs.jsonl, line 2"):
        load_pairs(0, path)
