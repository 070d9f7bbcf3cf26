from pathlib import Path

import pytest

from stages.errors import InputError, ParamsError
from stages.evaluate import systems
from stages.evaluate.params import EvaluateParams, Run
from stages.evaluate.partial import Pieces
from stages.evaluate.systems import check_runs, run_baselines, run_variants, select_items
from tests.evaluate.conftest import RUNTIME
from tests.evaluate.planted import benchmark_items, training_rows

ITEMS, TRAIN = benchmark_items(), training_rows()
RUNS = [
    Run(benchmark="secforge-mcq", protocol="loglikelihood", systems=["base", "finetuned"], items=5),
    Run(benchmark="secforge-mcq", protocol="option-text", systems=["base"], items=5),
    Run(benchmark="secforge-rcm", protocol="generative", systems=["base", "finetuned"], items=5, max_new_tokens=4),
    Run(benchmark="secforge-rcm", protocol="constrained-answer", systems=["base"], items=5),
    Run(benchmark="secforge-mcq", protocol="constrained", systems=["base"], items=3, shots=2),
    Run(benchmark="secforge-rcm", protocol="constrained", systems=["base"], items=3, shots=2),
]
PARAMS = EvaluateParams(runs=RUNS)


def test_every_protocol_gives_a_prediction_per_item(tiny_folder: Path, tmp_path: Path) -> None:
    done = run_variants(ITEMS, TRAIN, {"base": tiny_folder, "finetuned": tiny_folder}, PARAMS, RUNTIME, Pieces(tmp_path), {})
    names = [(piece.cost.system, piece.cost.benchmark, piece.cost.protocol, len(piece.predictions)) for piece in done]
    assert sorted(names) == [
        ("base", "secforge-mcq", "loglikelihood", 5),
        ("base", "secforge-mcq", "option-text", 5),
        ("base", "secforge-rcm", "constrained-answer", 5),
        ("base", "secforge-rcm", "generative", 5),
        ("base-few-shot", "secforge-mcq", "constrained", 3),
        ("base-few-shot", "secforge-rcm", "constrained", 3),
        ("finetuned", "secforge-mcq", "loglikelihood", 5),
        ("finetuned", "secforge-rcm", "generative", 5),
    ]
    by_name = {(piece.cost.system, piece.cost.benchmark, piece.cost.protocol): piece for piece in done}
    for benchmark, protocol in (("secforge-mcq", "loglikelihood"), ("secforge-rcm", "generative")):
        ours, theirs = (by_name[system, benchmark, protocol].predictions for system in ("base", "finetuned"))
        assert [one.output for one in ours] == [one.output for one in theirs]  # equal weights, equal answers
    for piece in done:
        if piece.cost.protocol != "generative":
            assert all(one.parsed_ok for one in piece.predictions)
    assert {one.parsed[0] for one in by_name["base-few-shot", "secforge-rcm", "constrained"].predictions} <= {
        key for row in TRAIN for key in row.answer_key
    }
    whole = {one.output for one in by_name["base", "secforge-rcm", "constrained-answer"].predictions}
    assert whole <= {row.answer for row in TRAIN if len(row.answer_key) == 1}


def test_after_a_kill_only_unfinished_pieces_are_asked_again(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run_variants(ITEMS, TRAIN, {"base": tiny_folder}, PARAMS, RUNTIME, Pieces(tmp_path / "a"), {})
    asked: list[str] = []
    original = systems.run_variant

    def counting(variant, run, *rest):  # type: ignore[no-untyped-def]
        asked.append(f"{run.benchmark} {run.protocol}")
        if len(asked) == 3:
            raise KeyboardInterrupt
        return original(variant, run, *rest)

    monkeypatch.setattr(systems, "run_variant", counting)
    with pytest.raises(KeyboardInterrupt):
        run_variants(ITEMS, TRAIN, {"base": tiny_folder}, PARAMS, RUNTIME, Pieces(tmp_path / "b"), {})
    resumed = run_variants(ITEMS, TRAIN, {"base": tiny_folder}, PARAMS, RUNTIME, Pieces(tmp_path / "b"), {})
    assert len(asked) == 3 + 4  # two finished, one cut short; then that one and the three left
    key = lambda one: (one.benchmark, one.protocol, one.item_id)  # noqa: E731
    assert sorted((row for piece in resumed for row in piece.predictions), key=key) == sorted(
        (row for piece in undisturbed for row in piece.predictions), key=key
    )


def test_a_finished_variant_is_not_even_loaded(tiny_folder: Path, tmp_path: Path) -> None:
    pieces = Pieces(tmp_path / "work")
    params = EvaluateParams(runs=[RUNS[0]])
    run_variants(ITEMS, TRAIN, {"base": tiny_folder}, params, RUNTIME, pieces, {})
    again = run_variants(ITEMS, TRAIN, {"base": tmp_path / "gone"}, params, RUNTIME, pieces, {})
    assert len(again[0].predictions) == 5
    with pytest.raises(InputError, match="gone"):
        run_variants(ITEMS, TRAIN, {"finetuned": tmp_path / "gone"}, params, RUNTIME, pieces, {})


def test_a_piece_without_its_cost_is_not_finished(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path)
    piece = run_baselines(ITEMS, TRAIN, PARAMS)[0]
    pieces.keep(piece)
    names = piece.cost.system, piece.cost.benchmark, piece.cost.protocol
    assert pieces.find(*names) == piece
    next(tmp_path.glob("*.cost.parquet")).unlink()
    assert pieces.find(*names) is None


def test_baselines_answer_where_they_have_a_form() -> None:
    scored = {
        (piece.cost.benchmark, piece.cost.system): sum(one.correct for one in piece.predictions)
        for piece in run_baselines(ITEMS, TRAIN, PARAMS)
    }
    assert set(scored) == {
        *(("secforge-mcq", name) for name in ("majority", "longest-option", "tfidf-similarity", "bm25-nn")),
        *(("secforge-rcm", name) for name in ("majority", "tfidf-linear", "bm25-nn")),
    }
    assert scored["secforge-rcm", "tfidf-linear"] == 12


def test_smaller_selections_are_the_head_of_larger_ones_in_the_order_of_the_table() -> None:
    own = [item for item in ITEMS if item.benchmark == "secforge-rcm"]
    assert select_items(ITEMS, "secforge-rcm", 4) == own[:4]
    assert select_items(ITEMS, "secforge-rcm", 0) == own and len(own) == 12


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([Run(benchmark="cti-mcq", protocol="generative", systems=["base"])], "cti-mcq[\\s\\S]*secforge-mcq, secforge-rcm"),
        ([Run(benchmark="secforge-rcm", protocol="loglikelihood", systems=["base"])], "no options"),
        ([RUNS[0], RUNS[0]], "twice"),
        ([Run(benchmark="secforge-mcq", protocol="generative", systems=["base", "base"])], "twice"),
    ],
)
def test_runs_without_meaning_are_refused(runs: list[Run], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        check_runs(EvaluateParams(runs=runs), ITEMS)
