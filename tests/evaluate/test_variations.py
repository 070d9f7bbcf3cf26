from pathlib import Path

import pytest

from stages.errors import InputError, ParamsError
from stages.evaluate.params import EvaluateParams, Run
from stages.evaluate.partial import Pieces
from stages.evaluate.systems import check_runs, run_variants, system_name
from stages.evaluate.variations import formats_of_items, load_tasks, varied_questions
from stages.formats.schema import Format
from tests.evaluate.conftest import RUNTIME
from tests.evaluate.planted import benchmark_items, training_rows

ITEMS, TRAIN = benchmark_items(), training_rows()
LIBRARY = Path(__file__).parents[2] / "stages" / "formats" / "library"


def make_format(task: str, **changes: object) -> Format:
    fields = {
        "task": task,
        "status": "approved",
        "introduction": "Choose the weakness.",
        "steps": ["Name the mistake.", "Compare it with the options."],
        "instructions": ["Write ids as given.", "Be brief."],
        "answer_line": "Final answer: {key}",
        "search": True,
        "document": False,
        "rewrite": True,
        "author": "a",
        "reviewer": "b",
        "date": "2026-11-22",
        "version": 1,
        "sha256": "0" * 64,
    }
    return Format(**fields | changes)  # type: ignore[arg-type]


FORMATS = formats_of_items(ITEMS, [make_format("cve-to-cwe"), make_format("choose")])


def varied(variation: str, form: Format = FORMATS["cve-to-cwe"]) -> str:
    item = next(one for one in ITEMS if one.benchmark == "secforge-rcm")
    run = Run(benchmark="secforge-rcm", protocol="generative", systems=["base"], format=variation)
    return varied_questions([item], ["Which one?"], run, {item.task: form})[0]


def test_every_variation_keeps_the_question_first_and_says_its_part() -> None:
    assert varied("none") == "Which one?"
    assert varied("steps") == "Which one?\n\nReason in these steps:\n1. Name the mistake.\n2. Compare it with the options."
    assert varied("rules") == "Which one?\n\nKeep to these rules:\n- Write ids as given.\n- Be brief."
    assert varied("whole").startswith("Which one?\n\nChoose the weakness.\n\nReason in these steps:\n1. ")
    assert varied("whole").endswith("- Be brief.\n\nLast line: Final answer: <answer>")
    assert sorted(varied("reordered").split()) == sorted(varied("whole").split()) and varied("reordered") != varied("whole")


def test_a_format_is_data_and_never_a_template() -> None:
    hostile = make_format("cve-to-cwe", steps=["{{ 7 * 7 }} {% for x in y %}"], answer_line="")
    assert "{{ 7 * 7 }} {% for x in y %}" in varied("whole", hostile)


def test_every_kind_of_question_leads_to_a_format_of_the_library() -> None:
    named = set(load_tasks().values())
    assert named and not [task for task in named if not (LIBRARY / f"{task}.yaml").exists()]


def test_a_question_without_format_is_named() -> None:
    with pytest.raises(InputError, match="choose[\\s\\S]*format_tasks.yaml"):
        formats_of_items(ITEMS, [make_format("cve-to-cwe")])


def test_a_run_changes_one_thing_at_a_time() -> None:
    run = Run(benchmark="secforge-rcm", protocol="constrained", systems=["base"], shots=2, format="whole")
    with pytest.raises(ParamsError, match="both `format` and `shots`"):
        check_runs(EvaluateParams(runs=[run]), ITEMS)
    assert system_name("base", Run(benchmark="x", protocol="generative", systems=["base"], format="whole")) == "base+whole"
    assert system_name("base", Run(benchmark="x", protocol="generative", systems=["base"])) == "base"


def test_three_protocols_answer_varied_questions(tiny_folder: Path, tmp_path: Path) -> None:
    runs = [
        Run(benchmark=benchmark, protocol=protocol, systems=["base"], items=3, max_new_tokens=4, format=variation)
        for benchmark, protocol in (
            ("secforge-mcq", "loglikelihood"),
            ("secforge-rcm", "generative"),
            ("secforge-rcm", "constrained-answer"),
        )
        for variation in ("none", "whole")
    ]
    params = EvaluateParams(runs=runs)
    check_runs(params, ITEMS)
    done = run_variants(ITEMS, TRAIN, {"base": tiny_folder}, params, RUNTIME, Pieces(tmp_path), FORMATS)
    assert len(done) == 6 and all(len(piece.predictions) == 3 for piece in done)
    for protocol in ("loglikelihood", "generative", "constrained-answer"):
        read = {piece.cost.system: piece.cost.prompt_tokens for piece in done if piece.cost.protocol == protocol}
        assert read["base+whole"] > read["base"]
