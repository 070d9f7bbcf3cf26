"""Registration against a real git and DVC repository with tiny files, and a real MLflow store on SQLite."""

import json
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dvc.repo import Repo

from stages.base.location import hash_model
from stages.errors import InputError
from stages.evaluate.variants import load_variant
from stages.register.__main__ import main
from stages.register.collect import Record, collect, flatten, mask
from stages.register.command import register_build
from stages.register.injection import refuse_foreign_reports
from stages.register.model_card import model_card
from stages.register.params import RegisterParams
from stages.register.record import COMPLETE, WHOLE, register
from stages.register.resolve import fetch_folder, resolve_alias
from stages.register.store import Store
from stages.register.tracking import connect, read_version, tracking_uri
from stages.register.workspace import Build, committed_build, refuse_dirty, refuse_stale, refuse_uncommitted_lock
from stages.runtime import RuntimeParams
from tests.tiny_model import make_tiny_model

if TYPE_CHECKING:
    from mlflow import MlflowClient

MAKE = """
import json, pathlib
for path in ("models/finetune/adapter/w.bin", "models/finetune/merged/w.bin", "models/quantize/nf4/w.bin", "data/validate/train.parquet"):
    file = pathlib.Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("weights of " + path)
pathlib.Path("metrics").mkdir(exist_ok=True)
pathlib.Path("metrics/evaluate.json").write_text(json.dumps({"scores": {"finetuned": {"accuracy": 0.5, "n": 4}}, "note": "text"}))
pathlib.Path("metrics/finetune_loss.csv").write_text("step,loss\\n1,2.5\\n2,1.5\\n")
"""
GRAPH = """
stages:
  build:
    cmd: "{python} make.py"
    deps: [make.py]
    outs: [models/finetune/adapter, models/finetune/merged, models/quantize/nf4, data/validate/train.parquet]
    metrics: [{{metrics/evaluate.json: {{cache: false}}}}, {{metrics/finetune_loss.csv: {{cache: false}}}}]
"""
PARAMS = """
ingest: {pins: {cwe: {sha256: "abababababababababababababababababababababababababababababababab"}}}
finetune: {learning_rate: 1e-4, ranks: [8, 16]}
runtime:
  endpoints: {teacher: [{base_url: "https://user:hunter2@models.example/v1"}], judge: []}
"""


def _run(root: Path, *command: str) -> None:
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed build; tests work on copies of it."""
    root = tmp_path_factory.mktemp("built")
    (root / "make.py").write_text(MAKE)
    (root / "dvc.yaml").write_text(GRAPH.format(python=sys.executable))
    (root / "params.yaml").write_text(PARAMS)
    _run(root, "git", "init", "-q")
    _run(root, "git", "config", "user.email", "builder@example.org")
    _run(root, "git", "config", "user.name", "Builder")
    Repo.init(str(root)).close()
    with open(root / ".dvc" / ".gitignore", "a") as ignored:
        ignored.write("/secforge\n")
    with chdir(root), Repo() as repository:
        repository.reproduce()
    _run(root, "git", "add", "-A")
    _run(root, "git", "commit", "-q", "-m", "first build")
    return root


@pytest.fixture(scope="module")
def build(built: Path) -> Build:
    """What is committed in `built` and in every copy of it."""
    return committed_build(built)


@pytest.fixture
def repository(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Path(shutil.copytree(built, tmp_path / "repository", symlinks=True))


def test_a_dirty_tree_is_refused_and_the_files_are_named(repository: Path) -> None:
    (repository / "params.yaml").write_text(PARAMS + "# changed\n")
    (repository / "notes.txt").write_text("new")
    with pytest.raises(InputError, match=r"notes\.txt, params\.yaml|params\.yaml, notes\.txt") as caught:
        refuse_dirty(repository)
    assert "git commit" in str(caught.value)


def test_timings_do_not_make_a_tree_dirty(repository: Path) -> None:
    (repository / "metrics" / "timings").mkdir()
    (repository / "metrics" / "timings" / "x.json").write_text("{}")
    refuse_dirty(repository)


def test_both_pages_of_the_report_are_kept_under_their_own_paths(repository: Path, build: Build) -> None:
    for name in ("data/report/index.html", "metrics/timings/report.html"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(name)
    documents = collect(repository, build).documents
    assert {documents["data/report/index.html"], documents["metrics/timings/report.html"]} <= set(documents)


def test_a_lock_file_that_git_does_not_hold_is_refused(repository: Path) -> None:
    _run(repository, "git", "rm", "-q", "--cached", "dvc.lock")
    _run(repository, "git", "commit", "-q", "-m", "lock lost")
    with pytest.raises(InputError, match=r"HEAD holds no dvc\.lock"):
        refuse_uncommitted_lock(repository)


def test_a_stale_pipeline_is_refused_with_the_stage_and_the_remedy(repository: Path) -> None:
    (repository / "make.py").write_text(MAKE + "\n# changed\n")
    _run(repository, "git", "commit", "-q", "-am", "changed code without a build")
    with pytest.raises(InputError, match="build changed") as caught:
        refuse_stale(repository)
    assert "dvc repro" in str(caught.value)


def test_a_folder_without_commits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="root of a git repository"):
        committed_build(tmp_path)


def test_one_run_per_commit_with_figures_curve_data_versions_alias_and_no_secret(
    repository: Path, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = register_build(repository)
    second = register_build(repository)
    assert "registered, `candidate` is finetuned" in first
    assert "was registered before" in second
    client = connect(tracking_uri("", repository))
    (run,) = client.search_runs([client.get_experiment_by_name("secforge").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["evaluate.scores.finetuned.accuracy"] == 0.5
    assert run.data.params["finetune.learning_rate"] == "0.0001"
    assert [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "finetune.curve.loss")] == [
        (1, 2.5),
        (2, 1.5),
    ]
    digests = {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}
    assert digests == {
        "secforge-validate-train": build.hashes["data/validate/train.parquet"],
        "secforge-source-cwe": "ab" * 18,
    }
    assert {"hardware.cpu", "hardware.gpu", "library.torch", "library.transformers"} <= run.data.tags.keys()
    versions = client.search_model_versions("name = 'secforge'")
    assert sorted(version.tags["variant"] for version in versions) == ["adapter", "finetuned", "nf4"]
    candidate = client.get_model_version_by_alias("secforge", "candidate")
    assert candidate.tags["path"] == "models/finetune/merged"
    scores = client.get_logged_model(candidate.source.removeprefix("models:/")).metrics
    assert {score.key for score in scores} == {"evaluate.scores.finetuned.accuracy", "evaluate.scores.finetuned.n"}
    stored = b"".join(file.read_bytes() for file in (repository / ".dvc" / "secforge").rglob("*") if file.is_file())
    assert b"hunter2" not in stored
    assert b"***@models.example" in stored
    _is_described(client, run.info.run_id)
    monkeypatch.chdir(repository)
    _resolves(repository, build)


def _is_described(client: "MlflowClient", run_id: str) -> None:
    """Cards, metrics and params lie at the run; a version says what goes in and what comes out."""
    import mlflow

    kept = {one.path for folder in ("", "metrics") for one in client.list_artifacts(run_id, folder or None)}
    assert {"model_card.md", "dvc.lock", "params.yaml", "metrics/evaluate.json", "metrics/finetune_loss.csv"} <= kept
    described = mlflow.models.Model.load("models:/secforge@candidate")
    assert [column.type.name for column in described.signature.inputs] == ["string"]
    assert described.load_input_example("models:/secforge@candidate")[0].endswith("heap buffer.")
    assert described.metadata["path"] == "models/finetune/merged"


def _resolves(repository: Path, build: Build) -> None:
    """Commit, path, folder; an unknown alias names the known ones; a folder that lacks a byte is none."""
    said = main(["resolve", "candidate"])
    assert f"commit: {build.commit}" in said and f"folder: {repository / 'models/finetune/merged'}" in said
    with pytest.raises(InputError, match="candidate"):
        resolve_alias(repository, "champion")
    weights = repository / "models" / "finetune" / "merged" / "w.bin"
    for damage in (lambda: weights.write_text("Weights of models/finetune/merged/w.bin"), weights.unlink):
        weights.chmod(0o644)
        damage()
        assert "folder: not here; `python -m stages.register resolve candidate --fetch` brings it" in main(
            ["resolve", "candidate"]
        )
    fetched = Path(main(["resolve", "candidate", "--fetch"]).rpartition("folder: ")[2])
    assert (fetched / "w.bin").read_text() == "weights of models/finetune/merged/w.bin"
    assert f"folder: {fetched}" in main(["resolve", "candidate"])
    (fetched / "w.bin").write_text("")
    assert "folder: not here" in main(["resolve", "candidate"])
    assert main(["resolve", "candidate", "--fetch"]).endswith(f"folder: {fetched}")
    assert (fetched / "w.bin").read_text() == "weights of models/finetune/merged/w.bin"


def test_a_call_killed_in_the_middle_is_completed_not_repeated(
    repository: Path, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, params = connect(tracking_uri("", repository)), RegisterParams()
    record = collect(repository, build)
    made = []

    def dies_at_the_second(*arguments: object, **named: object) -> object:
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(named)
        return original(*arguments, **named)

    original = client.create_model_version
    monkeypatch.setattr(client, "create_model_version", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        register(client, build, record, params, repository)
    monkeypatch.setattr(client, "create_model_version", original)
    outcome = register(client, build, record, params, repository)
    runs = client.search_runs([client.get_experiment_by_name("secforge").experiment_id])
    assert [run.data.tags[COMPLETE] for run in runs] == [WHOLE]
    assert len(client.search_model_versions("name = 'secforge'")) == 3
    assert len(client.search_logged_models([runs[0].info.experiment_id])) == 3
    assert len(client.get_metric_history(outcome.run_id, "finetune.curve.loss")) == 2
    assert not outcome.existed


@pytest.mark.slow
def test_stored_as_artifact_every_variant_loads_from_mlflow(tmp_path: Path) -> None:
    import mlflow

    from stages.quantize.params import QuantizeParams
    from stages.quantize.variants import quantize_model

    merged = make_tiny_model(tmp_path / "models" / "finetune" / "merged")
    quantize_model(merged, tmp_path / "models" / "quantize" / "nf4", "nf4", QuantizeParams(), device="cpu")
    hashes = {"models/finetune/merged": "m.dir", "models/quantize/nf4": "n.dir"}
    build = Build(commit="c" * 40, committed_ms=1, lock_sha256="l" * 64, hashes=hashes)
    record = Record(
        params={}, points=[], tags={"secforge.commit": build.commit, "secforge.lock": build.lock_sha256}, documents={}
    )
    client = connect(tracking_uri("", tmp_path))
    outcome = register(client, build, record, RegisterParams(store="artifact"), tmp_path)
    shutil.rmtree(tmp_path / "models")
    for version in outcome.versions.values():
        pipeline = mlflow.transformers.load_model(f"models:/secforge/{version}")
        assert pipeline("Final", max_new_tokens=2)[0]["generated_text"].startswith("Final")
    store = Store(root=tmp_path, uri="", client=client, params=RegisterParams(), runtime=RuntimeParams())
    for variant, version in outcome.versions.items():
        folder = fetch_folder(store, read_version(client, "secforge", version))
        assert load_variant(variant, folder, RuntimeParams(device="cpu")).end_token_ids()


def test_an_unreachable_store_is_one_message_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match="no MLflow store answers") as caught:
        connect("http://user:hunter2@127.0.0.1:9")
    assert "hunter2" not in str(caught.value)


def test_flatten_names_items_of_lists_by_their_name() -> None:
    nested = {"sources": [{"name": "cwe", "rows": 3}, {"rows": 4}], "letters": ["A", "B"]}
    assert dict(flatten(nested, "x")) == {
        "x.sources.cwe.name": "cwe",
        "x.sources.cwe.rows": 3,
        "x.sources.1.rows": 4,
        "x.letters": ["A", "B"],
    }


def test_mask_hides_passwords_and_keys_but_not_plain_addresses() -> None:
    assert mask("postgresql://me:pw@host/db") == "postgresql://me:***@host/db"
    assert mask("https://host/v1?api_key=abc&x=1") == "https://host/v1?api_key=***&x=1"
    assert mask("https://host:8000/v1") == "https://host:8000/v1"


def test_mask_hides_keys_of_known_forms_but_not_words_like_them() -> None:
    for key in ("sk-" + "ab1_" * 6, "hf_" + "a" * 30, "ghp_" + "a" * 36, "AKIA" + "A" * 16, "glpat-" + "a" * 20):
        assert mask(f"used {key}, then") == "used ***, then"
    assert mask("Authorization: Bearer abcdefghijklmnop") == "Authorization: Bearer ***"
    assert (
        mask("sk-learn, risk-based-authentication-of-users, hf_home") == "sk-learn, risk-based-authentication-of-users, hf_home"
    )


def test_a_report_of_injections_counts_only_for_the_weights_that_it_is_of(repository: Path, build: Build) -> None:
    (repository / "models" / "finetune" / "merged" / "model.safetensors").write_bytes(b"weights")
    report = repository / "metrics" / "injection_finetuned.json"
    own = {"benchmark": "cyberseceval-prompt-injection", "n": 60, "strict": 1.7}
    model = f"sha256:{hash_model(repository / 'models' / 'finetune' / 'merged')}"
    report.write_text(json.dumps({**own, "model": model}))
    refuse_foreign_reports(repository, build)
    for foreign, said in (({"model": "sha256:0"}, "model 'sha256:0' instead of"), ({"benchmark": "secqa"}, "benchmark 'secqa'")):
        report.write_text(json.dumps({**own, "model": model, **foreign}))
        with pytest.raises(InputError, match=f"is not of this build's finetuned: {said}") as caught:
            refuse_foreign_reports(repository, build)
        assert "--report metrics/injection_finetuned.json" in str(caught.value)
    report.write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        refuse_foreign_reports(repository, build)
    report.rename(report.with_name("injection_other.json"))
    with pytest.raises(InputError, match="names no variant") as caught:
        refuse_foreign_reports(repository, build)
    assert "adapter, finetuned, nf4" in str(caught.value)
    (repository / "models" / "finetune" / "merged" / "model.safetensors").unlink()
    _run(repository, "git", "add", "metrics")
    _run(repository, "git", "commit", "-q", "-m", "a report")
    with pytest.raises(InputError, match="names no variant"):
        register_build(repository)


def test_the_model_card_says_what_the_figures_say_and_no_more(repository: Path, build: Build) -> None:
    figures = {"finetuned": {"accuracy": 0.5, "n": 4, "low": 0.15, "high": 0.85}}
    metrics = {
        "evaluate": {"confidence": 0.95, "scores": {"secforge-mcq": {"loglikelihood": figures}}},
        "quantize": {"nf4": {"bytes_on_disk": 163_000_000, "agreement": 0.989}},
        "validate": {"rows": {"train": 31890}, "contamination": {"status": "checked"}},
    }
    assert "decontamination | not checked" in model_card(repository, build)
    for name, values in metrics.items():
        (repository / "metrics" / f"{name}.json").write_text(json.dumps(values))
    card = model_card(repository, build)
    assert "| nf4 | models/quantize/nf4 | 163 MB | 0.989 |" in card
    assert "| secforge-mcq | loglikelihood | finetuned | 4 | 0.500 (0.150 to 0.850) |" in card
    assert "| rows, train | 31,890 |" in card and "| decontamination | checked |" in card
    assert f"git checkout {build.commit}" in card and "## Training" not in card


def test_resolved_params_of_manifests_win_over_the_file(repository: Path) -> None:
    manifest = repository / "data" / "finetune" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"config": {"finetune": {"learning_rate": 0.5, "epochs": 1}}}))
    build = Build(commit="c", committed_ms=0, lock_sha256="l", hashes={})
    assert collect(repository, build).params["finetune.epochs"] == "1"
