"""Profiles: only keys that exist, comments kept, the way back named; estimates that follow the params."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.benchmarks.params import SIZES
from stages.config import load_params
from stages.errors import ParamsError
from stages.profiles.calls import add_up, calibration_calls, expected_calls, limits
from stages.profiles.command import estimate_and_report
from stages.profiles.estimate import estimate, model_size
from stages.profiles.merge import apply_profile, check_sections, load_profile, merged, profile_names
from tests.graph_reader import ROOT

PARAMS = ROOT / "params.yaml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes()) and tmp_path / "params.yaml"


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_loads_through_the_type_of_every_section(name: str) -> None:
    check_sections(merged(load_params(PARAMS), load_profile(name)), name)


@pytest.mark.parametrize("name", profile_names())
def test_both_dates_of_the_temporal_hold_out_are_one_day(name: str) -> None:
    sections = check_sections(merged(load_params(PARAMS), load_profile(name)), name)
    assert sections["benchmarks"].temporal_after == sections["graph"].split.heldout_after


def test_every_own_benchmark_of_the_big_build_is_scored() -> None:
    sections = check_sections(merged(load_params(PARAMS), load_profile("full")), "full")
    assert {run.benchmark for run in sections["evaluate"].runs} == set(SIZES)


def test_applying_keeps_comments_and_unrelated_keys_and_twice_changes_nothing(copy: Path) -> None:
    before = load_params(copy)
    changes = apply_profile("full", copy)
    text = copy.read_text(encoding="utf-8")
    after = load_params(copy)
    assert "# The embedded default" in text
    assert after["validate"] == before["validate"]
    assert after["llm"]["teacher"]["provider"] == "openai"
    assert {change.key: change.old for change in changes}["llm.teacher.provider"] == "embedded"
    assert apply_profile("full", copy) == []
    assert copy.read_text(encoding="utf-8") == text


def test_null_takes_a_key_away_and_new_mappings_come_whole() -> None:
    params = {"sources": {"old": {"reader": "x"}, "kept": {"reader": "y"}}}
    profile = {"sources": {"old": None, "never": None, "new": {"reader": "z", "files": {"a": {"pin": "p"}}}}}
    assert merged(params, profile) == {"sources": {"kept": {"reader": "y"}, "new": {"reader": "z", "files": {"a": {"pin": "p"}}}}}


def test_an_unknown_profile_is_refused_with_the_list(copy: Path) -> None:
    with pytest.raises(ParamsError, match=r"no profile `huge`[\s\S]*full"):
        apply_profile("huge", copy)
    with pytest.raises(ParamsError, match="no profile"):
        apply_profile("../../params", copy)


def test_nothing_is_written_if_the_result_is_invalid(copy: Path) -> None:
    copy.write_text(copy.read_text().replace("runtime:\n", "runtime:\n  no_such_key: 1\n"))
    before = copy.read_bytes()
    with pytest.raises(ParamsError, match="section `runtime`"):
        apply_profile("full", copy)
    assert copy.read_bytes() == before


def test_merging_goes_into_mappings_and_replaces_lists() -> None:
    assert merged({"a": {"b": 1, "c": [1, 2]}, "d": 1}, {"a": {"c": [3]}, "e": {"f": 2}}) == {
        "a": {"b": 1, "c": [3]},
        "d": 1,
        "e": {"f": 2},
    }


def _sections(**ground: int) -> dict[str, Any]:
    return check_sections(merged(load_params(PARAMS), merged(load_profile("full"), {"ground": ground})), "test")


LEDGER = {
    "ground": {"rows": 10},
    "enrich": {"llm": {"by_purpose": {
        "enrich.rewrite": {"requests": 20, "prompt_tokens": 20000, "completion_tokens": 4000},
        "enrich.factuality": {"requests": 3000, "prompt_tokens": 3000, "completion_tokens": 3000}}}},
}  # fmt: skip


def _config(sections: dict[str, Any]) -> dict[str, Any]:
    return {"enrich": {name: msgspec.to_builtins(sections[name]) for name in ("enrich", "llm")}}


def test_a_ledger_of_the_same_limits_replaces_the_assumed_tokens() -> None:
    sections = _sections(rows=1000)
    lines = {line.what: line for line in estimate(sections, {})}
    counted = {line.what: line for line in estimate(sections, LEDGER, _config(sections))}
    assert "assumed" in lines["enrich.rewrite: calls"].basis
    assert "1,000 tokens in, 200 out (ledger of the last build)" in counted["enrich.rewrite: calls"].basis
    assert (
        counted["teacher: calls"].figure == "5,600"
    )  # queries, filter, 1.3 and 0.3 for gaps (assumed), 2 rewrites a row (counted)
    assert re.fullmatch(r"USD [\d.,]+", counted["teacher: money"].figure)


def test_a_ledger_of_other_models_or_limits_says_nothing() -> None:
    sections = _sections(rows=1000)
    embedded = check_sections(load_params(PARAMS), "test")
    counted = {line.what: line for line in estimate(sections, LEDGER, _config(embedded))}
    assert "assumed" in counted["enrich.rewrite: calls"].basis


def test_calibration_is_asked_once_and_not_for_each_row() -> None:
    calls = {}
    for rows in (1000, 2000):
        sections = _sections(rows=rows)
        found = {call.purpose: call for call in expected_calls(sections, LEDGER, _config(sections))}["enrich.factuality"]
        fixed = calibration_calls(sections["enrich"])["enrich.factuality"]
        assert (found.fixed, found.per_row) == (fixed, (3000 - fixed) / 10)
        calls[rows] = add_up([found], rows).calls
    assert calls[2000] - calls[1000] == pytest.approx(1000 * (3000 - fixed) / 10)


def test_no_build_within_its_limits_passes_the_bound() -> None:
    sections = _sections(rows=1000)
    calls = expected_calls(sections, {}, {})
    bound = add_up(calls, 1000)
    assert bound.prompt <= bound.most_prompt and bound.completion <= bound.most_completion and bound.calls <= bound.most_calls
    rewrite = limits(sections)["enrich.rewrite"]
    assert rewrite.per_row == sections["enrich"].attempts
    assert rewrite.completion == sections["llm"].teacher.max_tokens
    assert rewrite.prompt > sections["ground"].row_tokens + sections["enrich"].evidence_tokens
    summed = limits(_sections(rows=1000, summary_tokens=5000))["enrich.rewrite"]
    assert summed.prompt - rewrite.prompt == 5000 - sections["enrich"].evidence_tokens, "the teacher reads the summary instead"


def test_calls_that_the_params_switch_off_are_no_part_of_the_estimate() -> None:
    switched = {"ground.gaps", "ground.gap_queries", "ground.summary", "enrich.claims"}
    off = merged(load_profile("full"), {"ground": {"rounds": 1, "summary_tokens": 0}, "enrich": {"claims": "off"}})
    on = merged(load_profile("full"), {"ground": {"rounds": 3, "summary_tokens": 700}, "enrich": {"claims": "judge"}})
    without, having = (limits(check_sections(merged(load_params(PARAMS), one), "test")) for one in (off, on))
    assert not switched & set(without) and switched <= set(having)
    assert (having["ground.gaps"].per_row, having["ground.gap_queries"].per_row) == (6, 4)  # each may be repaired once
    assert having["ground.summary"].prompt > 7 * 2 * 350


def test_a_role_without_repair_is_asked_once() -> None:
    values = merged(load_params(PARAMS), merged(load_profile("full"), {"llm": {"teacher": {"repair": 0}}}))
    bound = limits(check_sections(values, "test"))
    assert bound["ground.queries"].per_row == 1 and bound["enrich.readability"].per_row == 4
    assert bound["ground.queries"].prompt < limits(_sections())["ground.queries"].prompt


@pytest.mark.parametrize("name", profile_names())
def test_no_evidence_is_retrieved_whose_licence_may_not_train(name: str) -> None:
    sections = check_sections(merged(load_params(PARAMS), load_profile(name)), name)
    assert set(sections["ground"].deny) == set(sections["validate"].licences.deny)


def test_without_a_profile_the_file_itself_is_estimated(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.parent)
    assert "Estimate for params.yaml;" in estimate_and_report("")


def test_a_model_without_a_price_is_unknown_not_free() -> None:
    values = merged(load_params(PARAMS), load_profile("full"))
    values["runtime"]["prices"] = {}
    lines = {line.what: line for line in estimate(check_sections(values, "test"), {})}
    assert lines["teacher: money"].figure == "unknown"
    assert "runtime.prices" in lines["teacher: money"].basis


def test_more_weights_cost_more_hours_and_disk() -> None:
    def training(hub_id: str) -> float:
        values = merged(load_params(PARAMS), load_profile("full") | {"base": {"kind": "hub", "hub_id": hub_id}})
        lines = {line.what: line.figure for line in estimate(check_sections(values, "test"), {})}
        return float(lines["training: hours"].replace(",", ""))

    assert training("owner/model-8B") == pytest.approx(2 * training("owner/model-4B"), rel=0.01)


@pytest.mark.parametrize(
    ("name", "size"), [("Qwen/Qwen3-4B-Base", 4e9), ("x/SmolLM2-135M-Instruct", 135e6), ("x/Llama-3.2-1B", 1e9), ("x/y", 1e9)]
)
def test_the_size_is_read_from_the_name(name: str, size: float) -> None:
    base = check_sections({"base": {"kind": "hub", "hub_id": name}}, "test")["base"]
    assert model_size(base)[0] == size


def test_the_command_names_the_way_back(copy: Path) -> None:
    command = [sys.executable, "-m", "stages.profiles", "apply", "full"]
    done = subprocess.run(command, cwd=copy.parent, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "git checkout params.yaml" in done.stdout
