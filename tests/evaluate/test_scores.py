import json

import pytest

from stages.evaluate.params import EvaluateParams
from stages.evaluate.schema import Cost, Prediction
from stages.evaluate.scores import PLOT_COLUMNS, cost_table, plot_csv, summarise
from tests.evaluate.planted import benchmark_items, training_rows

ITEMS = benchmark_items(10)  # 40 per benchmark
PARAMS = EvaluateParams()
TRAINED = {row.id for row in training_rows() if row.answer_key == ["CWE-79"]}  # one label of four


def predictions(
    system: str, benchmark: str, protocol: str, right: int, unparseable: int = 0, items: int = 40
) -> list[Prediction]:
    own = [item for item in ITEMS if item.benchmark == benchmark][:items]
    return [
        Prediction(
            system=system,
            benchmark=benchmark,
            protocol=protocol,
            item_id=item.id,
            output="",
            parsed=[] if number >= items - unparseable else item.key[:1] if number < right else ["CWE-0"],
            parsed_ok=number < items - unparseable,
            correct=number < right,
        )
        for number, item in enumerate(own)
    ]


def summary(*groups: list[Prediction]) -> dict:
    return summarise([one for group in groups for one in group], ITEMS, training_rows(), TRAINED, PARAMS, "note")


RCM = ("secforge-rcm", "generative")


def test_scores_count_unparseable_apart_from_wrong() -> None:
    score = summary(predictions("base", *RCM, right=10, unparseable=7))["scores"]["secforge-rcm"]["generative"]["base"]
    assert (score["n"], score["correct"], score["accuracy"], score["unparseable"]) == (40, 10, 0.25, 7)
    assert score["low"] < 0.25 < score["high"]


def test_untouched_items_are_scored_apart() -> None:
    """Ten of the forty, of which nine were answered rightly, had been given away; the same id of another benchmark counts not."""
    answers = predictions("base", *RCM, right=9)
    given_away = {("secforge-rcm", one.item_id) for one in answers[:10]} | {("secforge-mcq", answers[20].item_id)}
    figures = summarise(answers, ITEMS, training_rows(), TRAINED, PARAMS, "", given_away)
    assert figures["scores"]["secforge-rcm"]["generative"]["base"]["n"] == 40
    left = figures["untouched"]["secforge-rcm"]["generative"]["base"]
    assert (left["n"], left["correct"]) == (30, 0)


def test_multiple_choice_is_centred_on_chance_and_open_questions_are_not() -> None:
    figures = summary(predictions("base", "secforge-mcq", "loglikelihood", right=10), predictions("base", *RCM, right=10))
    assert figures["benchmarks"]["secforge-mcq"]["chance"] == 0.25
    assert figures["scores"]["secforge-mcq"]["loglikelihood"]["base"]["centred"] == 0
    assert figures["scores"]["secforge-rcm"]["generative"]["base"]["centred"] == 0.25


def test_a_clear_gain_beats_the_base_and_a_small_one_does_not() -> None:
    compared = summary(
        predictions("base", *RCM, right=4),
        predictions("finetuned", *RCM, right=24),
        predictions("nf4", *RCM, right=5),
    )["comparisons"]["secforge-rcm"]["generative"]
    assert compared["finetuned"]["base"]["beats_base"] is True
    assert compared["finetuned"]["base"]["difference"] == 0.5
    assert compared["nf4"]["base"]["beats_base"] is False
    assert "base" not in compared


def test_the_tuned_model_is_compared_with_cheap_baselines_on_the_items_both_answered() -> None:
    compared = summary(
        predictions("finetuned", *RCM, right=20, items=30), predictions("tfidf-linear", "secforge-rcm", "baseline", right=35)
    )["comparisons"]["secforge-rcm"]["generative"]["finetuned"]["tfidf-linear"]
    assert (compared["n"], compared["beats_baseline"]) == (30, False)
    assert compared["difference"] == pytest.approx(-10 / 30, abs=1e-4)


def test_retention_is_relative_to_the_tuned_model() -> None:
    kept = summary(predictions("finetuned", *RCM, right=20), predictions("int8", *RCM, right=19))["retention"]
    assert kept["secforge-rcm"]["generative"]["int8"]["ratio"] == 0.95
    nothing = summary(predictions("finetuned", *RCM, right=0), predictions("int8", *RCM, right=1))["retention"]
    assert nothing["secforge-rcm"]["generative"]["int8"]["ratio"] is None


def test_accuracy_is_broken_down_by_task_and_by_the_labels_that_each_system_has_seen() -> None:
    figures = summary(predictions("finetuned", *RCM, right=10), predictions("tfidf-linear", "secforge-rcm", "baseline", right=10))
    assert figures["by_task"]["secforge-rcm"]["generative"]["finetuned"] == {"cve-to-cwe": {"n": 40, "accuracy": 0.25}}
    seen = figures["by_key_in_training"]["secforge-rcm"]
    assert seen["baseline"]["tfidf-linear"] == {"seen": {"n": 40, "accuracy": 0.25}}
    assert {name: group["n"] for name, group in seen["generative"]["finetuned"].items()} == {"seen": 10, "unseen": 30}
    described = figures["benchmarks"]["secforge-rcm"]
    assert (described["key_in_training"], described["key_in_finetuning"]) == (1.0, 0.25)
    assert (described["labels_in_training"], described["labels_in_finetuning"]) == (4, 1)


def test_metrics_are_valid_json_and_do_not_depend_on_the_order_of_predictions() -> None:
    rows = [*predictions("base", *RCM, right=3), *predictions("finetuned", *RCM, right=0)]
    forward = json.dumps(summarise(rows, ITEMS, training_rows(), TRAINED, PARAMS, ""), sort_keys=True, allow_nan=False)
    assert forward == json.dumps(
        summarise(rows[::-1], ITEMS, training_rows(), TRAINED, PARAMS, ""), sort_keys=True, allow_nan=False
    )


def test_the_plot_table_has_a_line_per_score() -> None:
    lines = plot_csv(summary(predictions("base", *RCM, right=10))["scores"]).splitlines()
    assert lines[0] == ",".join(PLOT_COLUMNS)
    assert lines[1].startswith("secforge-rcm,generative,base,0.25,")


def test_costs_are_per_second_and_survive_a_zero() -> None:
    cost = Cost(
        system="base", benchmark="b", protocol="p", items=4, seconds=0.0, p50_seconds=0.0, p95_seconds=0.0,
        prompt_tokens=0, new_tokens=0, peak_memory_mb=1.0,
    )  # fmt: skip
    assert cost_table([cost])["b"]["p"]["base"]["new_tokens_per_second"] == 0.0
