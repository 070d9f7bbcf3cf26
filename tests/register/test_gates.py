"""Each gate passes on good evidence, and fails, or says that it was not measured, on the evidence that it is for."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.config import load_section
from stages.errors import ParamsError
from stages.register.collect import flatten
from stages.register.evidence import Evidence
from stages.register.gates import Verdict, judge, table
from stages.register.params import Gates, Limit, NonInferiority, RegisterParams
from tests.register.made import METRICS

TEST = ("secforge-mcq", "loglikelihood")
GATES = Gates(benchmarks=NonInferiority(required=[TEST]))


def evidence(right: str = "1" * 80 + "0" * 80, **changes: Any) -> Evidence:
    """Good evidence of a fine-tuned version with 160 answers, apart from `changes`."""
    figures = {
        key: value for stage, inner in METRICS.items() for key, value in flatten(inner, stage.replace("timings/", "timings."))
    }
    fields: dict[str, Any] = {
        "version": {"version": "1", "variant": "finetuned", "commit": "c" * 40, "path": "models/finetune/merged"},
        "figures": figures | changes.pop("figures", {}),
        "licences": [("LicenseRef-MITRE-ATTACK + Apache-2.0", 12)],
        "answers": {"finetuned": {TEST: answers(right)}, "base": {TEST: answers("0" * len(right))}},
    }
    return Evidence(**fields | changes)


def answers(right: str) -> dict[str, bool]:
    return {f"item{number:04}": digit == "1" for number, digit in enumerate(right)}


def verdict(found: list[Verdict], gate: str) -> Verdict:
    (one,) = [one for one in found if one.gate == gate]
    return one


def test_good_evidence_passes_every_gate_but_those_not_measured_and_not_required() -> None:
    found = judge(evidence(), None, GATES)
    assert not any(one.blocks for one in found)
    assert [one.gate for one in found if one.result != "passed"] == ["injections obeyed"]
    assert verdict(found, "injections obeyed").result == "not measured, not required"


def test_a_worse_candidate_is_refused_with_the_interval() -> None:
    worse = judge(evidence("1" * 60 + "0" * 100), evidence(), GATES)
    one = verdict(worse, "not worse: secforge-mcq loglikelihood")
    assert one.result == "failed"
    assert one.value.startswith("-12.5 points (-18.1 to -7.5) on 160 of 160 items of v1 (finetuned of cccccccccc)")


def test_an_equal_candidate_and_a_better_one_pass() -> None:
    for right in ("1" * 80 + "0" * 80, "1" * 100 + "0" * 60):
        assert verdict(judge(evidence(right), evidence(), GATES), "not worse: secforge-mcq loglikelihood").result == "passed"


def test_a_candidate_that_may_be_worse_by_more_than_the_margin_is_refused_although_it_is_not_worse_on_average() -> None:
    mixed = "0" * 30 + "1" * 80 + "0" * 20 + "1" * 0 + "0" * 30
    reference = "1" * 30 + "1" * 20 + "0" * 110
    found = verdict(judge(evidence(mixed), evidence(reference), GATES), "not worse: secforge-mcq loglikelihood")
    assert found.result == "passed"
    noisy = "0" * 40 + "1" * 40 + "0" * 80
    found = verdict(judge(evidence(noisy), evidence("1" * 40 + "0" * 120), GATES), "not worse: secforge-mcq loglikelihood")
    assert found.value.startswith("+0.0 points") and found.result == "failed"


def test_without_a_champion_the_base_model_is_the_reference() -> None:
    better_base = {"finetuned": {TEST: answers("0" * 160)}, "base": {TEST: answers("1" * 160)}}
    found = verdict(judge(evidence(answers=better_base), None, GATES), "not worse: secforge-mcq loglikelihood")
    assert found.result == "failed" and "the base model" in found.value


@pytest.mark.parametrize(
    ("answered", "value"),
    [
        ({"finetuned": {TEST: answers("1" * 50)}, "base": {}}, "+0.0 points (+0.0 to +0.0) on 50 of 160 items"),
        ({"finetuned": {TEST: answers("1" * 151)}, "base": {}}, "+0.0 points (+0.0 to +0.0) on 151 of 160 items"),
        ({"finetuned": {}, "base": {}}, "0 items shared"),
        ({"finetuned": {TEST: {f"new{n}": True for n in range(160)}}, "base": {}}, "0 items shared"),
    ],
)
def test_too_few_of_the_champions_items_of_a_required_benchmark_are_not_measured_and_block(answered: Any, value: str) -> None:
    champion = evidence("1" * 160)
    found = verdict(judge(evidence(answers=answered), champion, GATES), "not worse: secforge-mcq loglikelihood")
    assert found.result == "not measured" and found.blocks
    assert found.value.startswith(value)
    nearly = evidence(answers={"finetuned": {TEST: answers("1" * 152)}})
    assert verdict(judge(nearly, champion, GATES), "not worse: secforge-mcq loglikelihood").result == "passed"


def test_a_required_benchmark_that_nobody_answered_under_that_protocol_blocks() -> None:
    for missing in (("cti-rcm", "generative"), ("secforge-mcq", "option-text")):
        found = judge(evidence(), None, Gates(benchmarks=NonInferiority(required=[TEST, missing])))
        one = verdict(found, f"not worse: {' '.join(missing)}")
        assert one.result == "not measured" and one.blocks


SMALL = ("secforge-relations", "loglikelihood")


def small(right: str, **more: Any) -> Evidence:
    """Evidence whose second benchmark is not required."""
    return evidence(answers={"finetuned": {TEST: answers("1" * 160), SMALL: answers(right)}, **more})


@pytest.mark.parametrize(
    ("right", "result"),
    [
        ("0" * 60, "failed"),  # a loss that is shown
        ("1" * 58 + "0" * 2, "not measured, not required"),  # worse by chance, it may be
        ("1" * 60, "not measured, not required"),
        ("1" * 15, "not measured"),  # 45 items of the champion are gone
    ],
)
def test_a_small_benchmark_that_is_not_required_blocks_only_a_loss_that_is_shown_or_items_that_are_gone(
    right: str, result: str
) -> None:
    one = verdict(judge(small(right), small("1" * 60), GATES), "not worse: secforge-relations loglikelihood")
    assert one.result == result and one.blocks == (result in ("failed", "not measured"))


def test_a_benchmark_that_the_candidate_dropped_blocks() -> None:
    one = verdict(judge(evidence("1" * 160), small("1" * 400), GATES), "not worse: secforge-relations loglikelihood")
    assert one.result == "not measured" and one.blocks
    base_only = evidence(answers={"finetuned": {TEST: answers("1" * 160)}, "base": {SMALL: answers("1" * 400)}})
    assert verdict(judge(base_only, small("1" * 400), GATES), "not worse: secforge-relations loglikelihood").blocks


def test_a_quantised_variant_need_not_answer_what_no_build_asks_it_but_all_that_is_required() -> None:
    """As in the default build: int8 is asked two tests, the fine-tuned model more."""
    version = evidence().version | {"variant": "int8", "path": "models/quantize/merged"}
    own = {"finetuned": {TEST: answers("1" * 160), SMALL: answers("1" * 60)}, "int8": {TEST: answers("1" * 160)}}
    gate = "not worse: secforge-relations loglikelihood"
    found = judge(evidence(version=version, answers=own), small("1" * 60, int8={TEST: answers("1" * 160)}), GATES)
    assert verdict(found, gate).result == "not measured, not required"
    assert verdict(found, gate).value.endswith("its build does not ask int8 this")
    asked_before = small("1" * 60, int8={TEST: answers("1" * 160), SMALL: answers("1" * 60)})
    assert verdict(judge(evidence(version=version, answers=own), asked_before, GATES), gate).blocks
    required = Gates(benchmarks=NonInferiority(required=[TEST, SMALL]))
    assert verdict(judge(evidence(version=version, answers=own), small("1" * 60), required), gate).blocks


def test_a_benchmark_that_is_new_is_compared_with_the_base_model_and_says_so() -> None:
    new = ("cti-rcm", "generative")
    ours = {"finetuned": {TEST: answers("1" * 160), new: answers("0" * 160)}, "base": {new: answers("1" * 160)}}
    one = verdict(judge(evidence(answers=ours), evidence("1" * 160), GATES), "not worse: cti-rcm generative")
    assert one.result == "failed" and "which the champion was not asked" in one.value


@pytest.mark.parametrize(
    ("gate", "figures"),
    [
        ("no invented identifiers", {"enrich.kept.invented_ids": 1}),
        ("no unsupported identifiers", {"enrich.kept.unsupported_ids": 1}),
        ("no lost answer keys", {"enrich.kept.keys_lost": 1}),
        ("data-quality criticals", {"validate.suites.train.failed_critical": 2}),
        ("injections obeyed", {"injection_finetuned.strict": 30.0, "injection_finetuned.n": 60}),
        ("bytes on disk", {"quantize.merged.bytes_on_disk": 17_000_000_000}),
        ("p95 seconds of an answer", {"timings.evaluate.secforge-mcq.loglikelihood.finetuned.p95_seconds": 121.0}),
        ("decontamination", {"validate.contamination.status": "not checked"}),
    ],
)
def test_a_bad_figure_fails_its_gate_and_no_other(gate: str, figures: dict[str, Any]) -> None:
    found = judge(evidence(figures=figures), None, GATES)
    assert [one.gate for one in found if one.blocks] == [gate]
    assert verdict(found, gate).result == "failed"


@pytest.mark.parametrize("missing", [None, "?"])
def test_a_missing_figure_never_passes(missing: Any) -> None:
    found = judge(evidence(figures={"enrich.kept.invented_ids": missing}), None, GATES)
    assert verdict(found, "no invented identifiers").result == "not measured"
    nothing = judge(Evidence(version=evidence().version, figures={}, licences=[], answers={}), None, GATES)
    assert not [one for one in nothing if one.result == "passed"]


REWRITES = ["no invented identifiers", "no unsupported identifiers", "no lost answer keys"]


def test_gates_on_rewrites_are_not_applicable_without_a_rewrite_and_never_passed() -> None:
    """As in the default build, whose teacher is too small for any rewrite to be kept."""
    none = {"enrich.kept.rows": 0, "enrich.kept.with_key": 0, "enrich.decisions.rewritten": 0}
    found = judge(evidence(figures=none), None, GATES)
    assert [verdict(found, gate).result for gate in REWRITES] == ["not applicable"] * 3
    assert verdict(found, REWRITES[0]).value == "0 (of 0 rows): enrich.decisions.rewritten is 0"
    assert not any(one.blocks for one in found)
    unaudited = judge(evidence(figures=none | {"enrich.decisions.rewritten": 3}), None, GATES)
    assert [verdict(unaudited, gate).result for gate in REWRITES[:2]] == ["not measured"] * 2
    unknown = judge(evidence(figures=dict.fromkeys(none, None)), None, GATES)
    assert [verdict(unknown, gate).result for gate in REWRITES] == ["not measured"] * 3


def test_injections_count_once_enough_were_tried_and_may_be_required() -> None:
    tried = {"injection_finetuned.strict": 2.5, "injection_finetuned.n": 60}
    assert verdict(judge(evidence(figures=tried), None, GATES), "injections obeyed").result == "passed"
    few = tried | {"injection_finetuned.n": 3}
    assert verdict(judge(evidence(figures=few), None, GATES), "injections obeyed").result == "not measured, not required"
    (limit,) = [limit for limit in GATES.limits if limit.name == "injections obeyed"]
    strict = Gates(benchmarks=GATES.benchmarks, limits=[msgspec.structs.replace(limit, required=True)])
    for figures in ({}, few, {"injection_int8.strict": 0.0, "injection_int8.n": 60}):
        assert verdict(judge(evidence(figures=figures), None, strict), "injections obeyed").blocks


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, True, "0", [0]])
def test_one_value_among_several_that_is_no_number_measures_nothing(bad: Any) -> None:
    found = judge(evidence(figures={"validate.suites.dev.failed_critical": bad}), None, GATES)
    one = verdict(found, "data-quality criticals")
    assert one.result == "not measured" and one.value == "0, 1 of 3 no number"
    worse = {"validate.suites.dev.failed_critical": bad, "validate.suites.train.failed_critical": 1}
    assert verdict(judge(evidence(figures=worse), None, GATES), "data-quality criticals").result == "failed"


@pytest.mark.parametrize("bounds", ["", "min: 2, max: 1", "max: .nan", "min: -.inf"])
def test_a_limit_without_bounds_that_can_fail_is_a_mistake_in_params(bounds: str, tmp_path: Path) -> None:
    text = f"register: {{gates: {{limits: [{{name: speed, figure: a.b, {bounds}}}]}}}}"
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match="limit `speed` needs a finite"):
        load_section("register", RegisterParams, tmp_path / "params.yaml")


def test_figures_of_another_variant_do_not_count() -> None:
    other = {"timings.evaluate.secforge-mcq.loglikelihood.int8.p95_seconds": 999.0, "quantize.int8.bytes_on_disk": 1e12}
    assert not [one for one in judge(evidence(figures=other), None, GATES) if one.blocks]


def test_a_scored_benchmark_that_was_not_searched_for_fails() -> None:
    other = ("cti-mcq", "loglikelihood")
    answered = {"finetuned": {TEST: answers("1" * 160), other: answers("1" * 160)}}
    one = verdict(judge(evidence(answers=answered), None, GATES), "decontamination")
    assert one.result == "failed" and one.value.endswith("not cti-mcq")
    hashed = {"validate.contamination.hashed_benchmarks.cti-mcq.rows_dropped": 28}
    assert verdict(judge(evidence(answers=answered, figures=hashed), None, GATES), "decontamination").result == "passed"


@pytest.mark.parametrize(
    ("licence", "kind"), [("CC-BY-SA-4.0 + Apache-2.0", "share-alike"), ("Mine", "unknown"), ("", "unknown")]
)
def test_a_licence_that_is_not_allowed_fails(licence: str, kind: str) -> None:
    one = verdict(judge(evidence(licences=[("Apache-2.0", 5), (licence, 2)]), None, GATES), "licences")
    assert one.result == "failed" and one.value == f"2 rows {kind} of 7"


def test_a_lower_bound_counts_too() -> None:
    gates = Gates(benchmarks=GATES.benchmarks, limits=[Limit(name="rows", figure="finetune.rows", min=100, max=200)])
    results = [
        verdict(judge(evidence(figures={"finetune.rows": rows}), None, gates), "rows").result for rows in (99, 100, 200, 201)
    ]
    assert results == ["failed", "passed", "passed", "failed"]


def test_the_table_is_aligned() -> None:
    lines = table(judge(evidence(), None, GATES)).splitlines()
    assert lines[0].startswith("gate ") and lines[0].endswith("verdict")
    assert len({line.index(result) for line in lines[1:] for result in [line.rsplit("  ", 1)[1]]}) == 1
