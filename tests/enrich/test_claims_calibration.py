"""The examination on claims: an able judge passes, chance and habit fail, and the cases are what they say."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from stages.enrich.calibration import calibrate
from stages.enrich.checks import loops
from stages.enrich.claims import sentences
from stages.enrich.claims_calibration import Case, calibrate_claims, load_cases
from stages.enrich.identifiers import ids_in
from stages.enrich.params import Calibration, EnrichParams
from stages.enrich.stated import unsupported_numbers, unsupported_quotes
from stages.errors import InputError
from stages.llm.client import Request
from tests.enrich.test_calibration import able, asked
from tests.fake_client import Answer, FakeClient

CASES = load_cases(0)
CLAIMS = [case.claim for case in CASES]


def examined(answer: Answer, pairs: int = 0) -> dict:
    return asyncio.run(calibrate_claims(FakeClient(answer), EnrichParams(calibration=Calibration(pairs=pairs)), 4))


def careful(request: Request) -> str:
    """Names the added sentence."""
    told = asked(request)["Sentences"].splitlines()
    return ", ".join(line.partition(".")[0] for line in told if line.endswith(tuple(CLAIMS))) or "none"


def test_an_able_judge_passes() -> None:
    found = examined(careful)
    assert found["passed"] and found["accuracy"] == found["sentence_named"] == 1.0 and found["decisions"] == 2 * len(CASES)
    assert examined(careful, 8)["passed"] and examined(careful, 8)["cases"] == 8


@pytest.mark.parametrize("habit", ["none", "1", "I am not sure.", "", None])
def test_a_judge_that_always_says_the_same_is_at_chance(habit: str | None) -> None:
    found = examined(lambda _: habit)
    assert not found["passed"] and found["accuracy"] <= 0.5


def test_naming_another_sentence_is_told_apart() -> None:
    found = examined(lambda request: "1" if careful(request) != "none" else "none")
    assert found["accuracy"] == 1.0 and found["sentence_named"] == 0


@pytest.mark.parametrize(("claims", "asked_about", "passed"), [("off", False, True), ("judge", True, False)])
def test_a_judge_at_chance_about_claims_decides_nothing_where_claims_count(claims: str, asked_about: bool, passed: bool) -> None:
    client = FakeClient(lambda request: "none" if request.purpose == "enrich.claims" else able(request))
    found = asyncio.run(calibrate(client, EnrichParams(claims=claims), 4))  # type: ignore[arg-type]
    assert found["passed"] is passed and bool(found["claims"]) is asked_about
    assert any(request.purpose == "enrich.claims" for request in client.requests) is asked_about


def test_there_are_forty_cases_of_many_kinds_and_no_two_alike() -> None:
    assert len(CASES) >= 40 and min(Counter(case.added for case in CASES).values()) >= 3
    for field in ("instruction", "answer", "good", "claim"):
        assert len({getattr(case, field) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim[:40])
def test_only_a_reader_tells_the_two_texts_apart(case: Case) -> None:
    sources = [case.instruction, case.answer, case.evidence]
    for text in (case.good, case.spoilt):
        assert not unsupported_numbers(text, sources) and not unsupported_quotes(text, sources) and not loops(text)
        assert ids_in(text) <= ids_in("\n".join(sources))
    good, spoilt = (sentences(text, keyed=True) for text in (case.good, case.spoilt))
    assert [one for one in spoilt if not one.endswith(case.claim)] == good and len(spoilt) == len(good) + 1
    assert case.spoilt.splitlines()[case.after] == case.claim and not case.claim.startswith("Final")


@pytest.mark.parametrize("letters", [3, 4, 5, 6])
@pytest.mark.parametrize("most", [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_counting_the_words_that_no_source_has_does_not_pass(letters: int, most: float) -> None:
    """A supported sentence may be in other words, and a false one in those of the sources."""

    def words(text: str) -> set[str]:
        return set(re.findall(rf"\w{{{letters},}}", text.lower()))

    def counting(request: Request) -> str:
        data = asked(request)
        known = words(" ".join(data[name] for name in ("Question", "Original answer", "Reference data")))
        told = [line.partition(". ") for line in data["Sentences"].splitlines()]
        spoken = [(number, words(said.rpartition(": ")[2])) for number, _, said in told]
        return ", ".join(number for number, said in spoken if said and len(said - known) >= most * len(said)) or "none"

    assert examined(counting)["accuracy"] < EnrichParams().calibration.accuracy


def test_the_place_of_the_claim_does_not_tell_it() -> None:
    places = Counter(case.after for case in CASES)
    assert max(places.values()) < 0.8 * len(CASES)


def test_a_damaged_case_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps({"added": "severity"}) + "\n")
    with pytest.raises(InputError, match=r"cases.jsonl, line 1"):
        load_cases(0, path)
