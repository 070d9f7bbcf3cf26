import json
from pathlib import Path

import pytest

from stages.config import load_params
from stages.errors import InputError, ParamsError
from stages.experiments.load import LIBRARY, load_experiment, names, plans
from stages.experiments.schema import Experiment
from stages.profiles.merge import load_profile, merged

ROOT = Path(__file__).parents[2]
GOOD = """
question: Which?
arms:
  - {name: one, set: {enrich.keep.factuality: 8}}
  - {name: two, set: {enrich.keep.factuality: 10}}
compare: [{figure: kept, better: higher}]
careful: [Small.]
"""


def load(folder: Path, text: str) -> Experiment:
    (folder / "trial.yaml").write_text(text, encoding="utf-8")
    return load_experiment("trial", folder)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("params", ["default", "full"])
def test_every_experiment_fits_the_default_and_the_full_profile(name: str, params: str, tmp_path: Path) -> None:
    document = load_params(ROOT / "params.yaml")
    file = tmp_path / "params.yaml"
    file.write_text(json.dumps(document if params == "default" else merged(document, load_profile(params))), encoding="utf-8")
    made = plans(name, load_experiment(name), "0" * 40, file)
    assert len({plan.experiment for plan in made}) == len(made) and not all(plan.is_baseline for plan in made)
    assert load_experiment(name).careful


def test_an_arm_that_the_commit_is_built_with_needs_no_run(tmp_path: Path) -> None:
    first, second = plans("trial", load(tmp_path, GOOD), "0" * 40, ROOT / "params.yaml")
    assert (first.is_baseline, second.is_baseline) == (True, False)
    other = plans("trial", load(tmp_path, GOOD), "1" * 40, ROOT / "params.yaml")[1]
    further = plans("trial", load(tmp_path, f"{GOOD}target: finetune\n"), "0" * 40, ROOT / "params.yaml")[1]
    assert len({one.experiment for one in (second, other, further)}) == 3  # another commit or target is another experiment


def test_a_matrix_lists_every_combination(tmp_path: Path) -> None:
    text = "question: Q\nmatrix: {formats.policy: [approved, draft], ground.evidence: [true, false]}\ncompare: []\ncareful: []\n"
    experiment = load(tmp_path, text)
    assert [arm.name for arm in experiment.arms] == ["approved-true", "approved-false", "draft-true", "draft-false"]
    assert experiment.arms[3].set == {"formats.policy": "draft", "ground.evidence": False}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("question", "queston", "trial.yaml[\\s\\S]*queston"),
        ("better: higher", "better: bigger", "bigger"),
        ("name: two", "name: one", "one, one"),
        ("name: two", "name: Two Arms", "Two Arms"),
        ("name: two", "name: ../two", "hyphens"),
        ("figure: kept", "figure: accuracy", "accuracy[\\s\\S]*all three"),
        ("figure: kept", "system: base, figure: kept", "none of them"),
        ("factuality: 10", "factuality: null", "null"),
        ("careful: [Small.]", "careful: [Small.", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("enrich.kep.factuality: 9", "arm two[\\s\\S]*kep[\\s\\S]*keep"),
        ("enrich.keep.factuality: nine", "factuality"),
        ("enrich.keep.factuality.least: 9", "factuality"),
        ("nowhere.key: 1", "nowhere"),
        ("runtime.batch: 1", "runtime.batch"),
        ("enrich: {}", "sets `enrich`"),
        ("evaluate.runs: [{benchmark: x, protocol: telepathy, systems: [base]}]", "telepathy"),
    ],
)
def test_a_param_that_no_stage_could_read_is_refused_before_anything_runs(tmp_path: Path, setting: str, message: str) -> None:
    experiment = load(tmp_path, GOOD.replace("{enrich.keep.factuality: 10}", "{" + setting + "}"))
    with pytest.raises(ParamsError, match=message):
        plans("trial", experiment, "0" * 40, ROOT / "params.yaml")


@pytest.mark.parametrize("name", ["nothing", "../params", "", "formats.yaml"])
def test_an_unknown_experiment_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match="formats, grounding, judge, variations"):
        load_experiment(name, LIBRARY)


def test_a_value_that_dvc_would_read_as_a_reference_is_refused_before_anything_runs(tmp_path: Path) -> None:
    experiment = load(tmp_path, GOOD.replace("{enrich.keep.factuality: 10}", '{base.hub_id: "${oc.env:HOME}"}'))
    with pytest.raises(ParamsError, match="reference"):
        plans("trial", experiment, "0" * 40, ROOT / "params.yaml")


def test_a_file_whose_name_could_be_no_experiment_is_named(tmp_path: Path) -> None:
    (tmp_path / "Bad_name.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(InputError, match="Bad_name.yaml has no name"):
        load_experiment("Bad_name", tmp_path)
