"""What surrounds a stage: errors are one message, the manifest comes last, the line counts everything."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from stages.config import Params
from stages.errors import InputError
from stages.stage import Stage, stage_main
from stages.tables import Reject


class Item(msgspec.Struct):
    id: str


class ToyParams(Params):
    limit: int = 3


class Runtime(Params):
    concurrency: int = 1


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("graph: {limit: 2}\nruntime: {concurrency: 9}\n")
    monkeypatch.setattr(sys, "argv", ["stage"])
    return tmp_path


def work(stage: Stage) -> None:
    params = stage.section("graph", ToyParams)
    stage.section("runtime", Runtime)
    stage.write("data/graph/items.parquet", [Item("a"), Item("b")][: params.limit], Item)
    stage.write_rejects("data/graph/rejects.parquet", [Reject("s", "c", "empty-text"), Reject("s", "d", "empty-text")])
    stage.metrics({"items": 2})
    assert not Path("data/graph/manifest.json").exists()
    stage.finish({"records": 4}, {"items": 2})


def test_the_manifest_holds_the_resolved_config_without_runtime(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage_main("graph", work, "doc")
    manifest = json.loads((workspace / "data/graph/manifest.json").read_text())
    assert manifest["config"] == {"graph": {"limit": 2}}
    assert manifest["outputs"]["data/graph/items.parquet"]["rows"] == 2
    line = capsys.readouterr().out
    assert "[graph] in: 4 records | out: 2 items | rejected: 2 (empty-text 2) |" in line


def test_an_error_is_one_message_without_traceback(workspace: Path) -> None:
    def fail(stage: Stage) -> None:
        raise InputError("a.json has no `objects`.", allowed="a STIX bundle", remedy="Fetch it again.")

    with pytest.raises(SystemExit) as caught:
        stage_main("graph", fail, "doc")
    assert caught.value.code == "[graph] a.json has no `objects`.\n  Allowed: a STIX bundle\n  Remedy: Fetch it again."


def test_unfinished_work_is_found_again_and_removed_at_the_end(workspace: Path) -> None:
    (workspace / "input").write_text("x")

    def stop_half_way(stage: Stage) -> None:
        stage.section("graph", ToyParams)
        (stage.work("input") / "part").write_text("half")
        raise InputError("stopped")

    def go_on(stage: Stage) -> None:
        stage.section("graph", ToyParams)
        folder = stage.work("input")
        assert (folder / "part").read_text() == "half"
        stage.finish({}, {})
        assert not folder.exists()

    with pytest.raises(SystemExit):
        stage_main("graph", stop_half_way, "doc")
    stage_main("graph", go_on, "doc")


def test_other_input_code_or_dtype_starts_new_work(workspace: Path) -> None:
    (workspace / "dvc.yaml").write_text("stages: {graph: {cmd: x, deps: [stages/graph, data/a.parquet]}}\n")
    (workspace / "stages/graph").mkdir(parents=True)

    def folder(text: str, code: str, dtype: str) -> Path:
        (workspace / "input").write_text(text)
        (workspace / "stages/graph/core.py").write_text(code)
        stage = Stage("graph")
        stage.section("graph", ToyParams)
        return stage.work("input", resolved=[dtype])

    first = folder("x", "1", "float32")
    others = [folder("y", "1", "float32"), folder("x", "2", "float32"), folder("x", "1", "bfloat16")]
    assert len({first, *others}) == 4
    assert folder("x", "1", "float32") == first


@pytest.mark.parametrize("name", ["ingest", "graph", "tasks", "benchmarks", "formats", "ground", "enrich", "validate", "report"])
def test_help_is_answered_without_heavy_imports(name: str) -> None:
    code = (
        f"import sys, runpy; sys.argv = ['stages.{name}', '--help']\n"
        f"try: runpy.run_module('stages.{name}', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "heavy = {'torch', 'transformers', 'mlflow', 'great_expectations', 'pandas', 'datasets', 'openai', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert f"python -m stages.{name}" in done.stdout


def test_a_scratch_file_goes_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = Stage("ground")
    file = stage.scratch("rows.spool")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    assert stage.scratch("rows.spool") == file and file.exists()
    stage.finish({}, {})
    assert not file.exists()
