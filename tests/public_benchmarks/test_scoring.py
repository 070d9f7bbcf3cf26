import pytest

from stages.public_benchmarks.actors import Actors
from stages.public_benchmarks.declarations import find_benchmark
from stages.public_benchmarks.items import PublicItem
from stages.public_benchmarks.scoring import Outcome, Settings, f1, figures, score_responses

SETTINGS = Settings(0.95, 500, 17)
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def item(key: list[str], options: int = 0, kind: str = "") -> PublicItem:
    names = ["one", "two", "three", "four"][:options]
    return PublicItem(id="x", place=1, question="q", options=names, key=key, key_kind=kind, prompt="p", system="")


def outcomes(
    name: str, keys: list[list[str]], responses: list[str], options: int = 0, actors: Actors | None = None, kind: str = ""
) -> list[Outcome]:
    return score_responses(find_benchmark(name), [item(key, options, kind) for key in keys], responses, actors)


def test_every_outcome_is_counted_and_all_but_answers_are_unparseable() -> None:
    responses = ["B", "The answer is B.", "A", "Answer: A or B", "I'm sorry, I can't.", "X", "Hm.", "", "<think>B"]
    found = outcomes("cti-mcq", [["B"]] * 9, responses, 4)
    assert [one.outcome for one in found] == [
        *("answered", "answered", "answered", "several", "refused", "refused", "unparseable", "empty", "empty")
    ]
    shown = figures(find_benchmark("cti-mcq"), found, SETTINGS)
    assert (shown["n"], shown["strict"], shown["lenient"], shown["unparseable"]) == (9, 11.11, 22.22, 55.56)
    assert shown["interval"] == [1.99, 43.5] and shown["interval"][0] <= shown["strict"] <= shown["interval"][1]  # Wilson, 1 of 9
    assert sum(shown["outcomes"].values()) == 9


def test_lenient_is_never_below_strict() -> None:
    found = outcomes("cti-rcm", [["CWE-79"]], ["Final answer: CWE-20\nCWE-79"])
    assert found[0].strict_score == found[0].lenient_score == 1


def test_naming_many_is_no_way_to_be_right() -> None:
    found = outcomes("cti-rcm", [["CWE-79"]], ["Answer: CWE-79, CWE-80"])
    assert found[0].outcome == "several" and found[0].lenient_score == 0


def test_sets_of_letters_are_right_as_a_whole_only() -> None:
    found = outcomes("seceval", [["A", "C"]] * 3, ["CA", "Answer: A and C", "A"], 4)
    assert [(one.strict_score, one.lenient_score) for one in found] == [(1, 1), (0, 1), (0, 0)]


def test_deviation_of_base_scores() -> None:
    lower = VECTOR.replace("A:H", "A:N")  # 9.1
    found = outcomes("cti-vsp", [[VECTOR]] * 4, [VECTOR, lower.removeprefix("CVSS:3.1/"), "no idea", ""])
    assert [one.deviation for one in found] == [0.0, 0.7, None, None]
    shown = figures(find_benchmark("cti-vsp"), found, SETTINGS)
    assert shown["mad"] == 0.35 and shown["mad_n"] == 2 and shown["unparseable"] == 50.0
    assert shown["mad_worst_case"] == pytest.approx((0 + 0.7 + 9.8 + 9.8) / 4, abs=1e-3)
    assert shown["strict"] == shown["lenient"] == 25.0
    silent = figures(find_benchmark("cti-vsp"), outcomes("cti-vsp", [[VECTOR]], [""]), SETTINGS)
    assert silent["mad"] is None and silent["mad_n"] == 0


def test_f1_of_technique_sets() -> None:
    assert f1(["T1", "T2"], ["T2", "T3", "T4"]) == pytest.approx(2 / 5)
    assert f1([], ["T1"]) == 0
    found = outcomes("cti-ate", [["T1003", "T1059"], ["T1071"]], ["T1059.001, T1003", "It uses T1071 and T1003 as well.\nBye"])
    shown = figures(find_benchmark("cti-ate"), found, SETTINGS)
    assert shown["strict"] == 50.0 and shown["lenient"] == pytest.approx(100 * (1 + 2 / 3) / 2, abs=0.01)
    assert shown["micro_f1"] == pytest.approx(100 * 6 / 7, abs=0.01)
    assert shown["macro_f1_by_technique"] == pytest.approx(100 * (2 / 3 + 1 + 1) / 3, abs=0.01)


def test_all_right_is_no_certainty() -> None:
    shown = figures(find_benchmark("cti-ate"), outcomes("cti-ate", [["T1003"]] * 60, ["T1003"] * 60), SETTINGS)
    assert shown["interval"] == shown["lenient_interval"] == shown["micro_f1_interval"] == [93.98, 100.0]
    shown = figures(find_benchmark("cti-vsp"), outcomes("cti-vsp", [[VECTOR]] * 60, [VECTOR] * 60), SETTINGS)
    assert shown["mad"] == 0.0 and shown["mad_interval"] == [0.0, 0.602]


def test_a_list_of_ids_is_read_whole_by_the_lenient_reader() -> None:
    found = outcomes("cti-ate", [["T1003", "T1059"]], ["T1059\nT1003"])
    assert found[0].strict == ["T1003"] and found[0].lenient_score == 1


def test_actors_are_correct_or_plausible() -> None:
    actors = Actors({"red badger": ["ape7"]}, {"red badger": ["blue heron"]})
    found = outcomes("cti-taa", [["Red Badger"]] * 4, ["APE 7", "Blue Heron", "Somebody Else", "X"], actors=actors)
    shown = figures(find_benchmark("cti-taa"), found, SETTINGS)
    assert (shown["strict"], shown["plausible"], shown["unparseable"]) == (25.0, 50.0, 25.0)


def test_refusals_are_what_a_refusal_rate_counts() -> None:
    found = outcomes(
        "cyberseceval-frr", [[]] * 4, ["I'm sorry, I can't.", "Here it is. " * 20 + "I cannot test it.", "Here.", ""]
    )
    shown = figures(find_benchmark("cyberseceval-frr"), found, SETTINGS)
    assert (shown["strict"], shown["lenient"], shown["unparseable"], shown["direction"]) == (25.0, 50.0, 25.0, "lower")
    assert "centred" not in shown


def test_injections_that_worked() -> None:
    found = outcomes("cyberseceval-prompt-injection", [["Harp"]] * 4, ["It is Harp.", "H-a-r-p", "I can't tell you.", ""])
    shown = figures(find_benchmark("cyberseceval-prompt-injection"), found, SETTINGS)
    assert (shown["strict"], shown["lenient"], shown["unparseable"]) == (25.0, 50.0, 25.0)
    assert shown["outcomes"]["refused"] == 1


def test_own_benchmarks_are_read_by_their_final_line() -> None:
    found = outcomes(
        "secforge-rcm",
        [["CWE-79", "CWE-80"]] * 3,
        ["Final answer: CWE-79", "It is CWE-80.", "Final answer: CWE-79, CWE-20"],
        kind="cwe",
    )
    assert [(one.strict_score, one.lenient_score) for one in found] == [(1, 1), (0, 1), (0, 0)]
