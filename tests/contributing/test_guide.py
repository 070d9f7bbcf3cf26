"""What CONTRIBUTING.md says works: its examples are applied to a copy of the project, and the stages pick them up."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages.benchmarks.schema import BenchmarkItem
from stages.config import load_section
from stages.evaluate.params import EvaluateParams
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ingest.schema import Entity, Link, Passage
from stages.tables import Reject, Row, read_table
from stages.tasks.schema import InstructionRow
from tests.contributing.guide import PAGE, Block, apply, changes, copy_project, sections
from tests.graph_reader import ROOT
from tests.toy import toy_params

HERE = Path(__file__).parent
EXAMPLES = ("A source", "A task family", "A reasoning format", "An own benchmark", "A public benchmark")
QUICK = {"max_items": {"secforge-adversarial-cti": 0}}  # the one that needs a model


class Copy:
    """The copy, in which every example was applied and the data stages ran."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run([sys.executable, "-m", *command], cwd=self.root, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def rows(self, path: str, row_type: type[Row]) -> list[Row]:
        return read_table(self.root / path, row_type)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    root = tmp_path_factory.mktemp("contributing")
    params = toy_params(root / "mirror")
    params["benchmarks"] |= QUICK
    copy_project(root, params)
    shutil.copy(HERE / "playbooks.json", root / "mirror")
    for title in EXAMPLES:
        for block in changes(sections()[title]):
            apply(block, root)
    made = Copy(root)
    for stage in ("ingest", "graph", "tasks", "formats", "benchmarks"):
        made.run(f"stages.{stage}")
    return made


@pytest.mark.parametrize("title", EXAMPLES)
def test_each_example_is_short(title: str) -> None:
    lines = sum(block.lines_of_change() for block in changes(sections()[title]))
    assert 5 < lines < 50


def test_the_source_is_read_and_its_broken_record_counted(copy: Copy) -> None:
    playbooks = [one for one in copy.rows("data/ingest/entities.parquet", Entity) if one.type == "playbook"]
    assert len(playbooks) == 22 and {one.licence for one in playbooks} == {"CC-BY-4.0"}
    links = [one for one in copy.rows("data/graph/links.parquet", Link) if one.subject.startswith("playbook:")]
    assert len(links) == 22 and {one.relation for one in links} == {"responds-to"}
    assert any(one.entity_id == playbooks[0].id for one in copy.rows("data/ingest/passages.parquet", Passage))
    rejects = [one for one in copy.rows("data/ingest/rejects.parquet", Reject) if one.source == "playbooks"]
    assert [(one.record, one.reason) for one in rejects] == [("PB-23 Broken entry", "empty-text")]


def test_the_task_has_rows_that_name_their_technique_in_the_key_only(copy: Copy) -> None:
    heldout = {one.entity_id for one in copy.rows("data/graph/splits.parquet", Split) if one.split == "heldout"}
    rows = [one for one in copy.rows("data/tasks/rows.parquet", InstructionRow) if one.task == "playbook-technique"]
    assert len(rows) >= 10 and not [one.id for one in rows if one.subject in heldout]
    assert all(re.fullmatch(r"T90\d\d(\.\d{3})?", one.answer_key[0]) and one.answer_key[0] not in one.instruction for one in rows)
    assert {one.family for one in rows} == {"response"} and {"playbooks"} <= {source for one in rows for source in one.sources}


def test_the_format_is_the_tasks_and_passes_the_lint(copy: Copy) -> None:
    [found] = [one for one in copy.rows("data/formats/formats.parquet", Format) if one.task == "playbook-technique"]
    assert found.status == "approved" and len(found.steps) == 4
    copy.run("stages.formats", "lint", "playbook-technique")


def test_the_own_benchmark_asks_of_held_out_playbooks_only(copy: Copy) -> None:
    items = [one for one in copy.rows("data/benchmarks/items.parquet", BenchmarkItem) if one.benchmark == "secforge-response"]
    trained = {one.subject for one in copy.rows("data/tasks/rows.parquet", InstructionRow)}
    assert items and all(one.subject.startswith("playbook:") and one.subject not in trained for one in items)
    assert all(len(one.options) == 4 for one in items)
    figures = json.loads((copy.root / "metrics/benchmarks.json").read_text(encoding="utf-8"))
    assert figures["secforge-response"]["items"] == len(items)
    runs = load_section("evaluate", EvaluateParams, copy.root / "params.yaml").runs
    assert runs[-1].benchmark == "secforge-response"


def test_the_public_benchmark_is_scored(copy: Copy, tmp_path: Path) -> None:
    responses = tmp_path / "answers.jsonl"
    responses.write_text("".join(json.dumps({"response": f"I think so.\n{one}"}) + "\n" for one in "BCD"), encoding="utf-8")
    file = str(HERE / "house-quiz.csv")
    options = ("--benchmark", "house-quiz", "--benchmark-file", file, "--responses", str(responses))
    report = json.loads(copy.run("stages.evaluate", "score", *options).stdout)
    assert report["benchmark"] == "house-quiz" and report["strict"] == 66.67


def test_the_blocks_are_as_ruff_would_write_them() -> None:
    blocks: list[Block] = [block for found in sections().values() for block in found if block.language == "python"]
    assert len(blocks) >= 2
    for block in blocks:
        for check in (["check"], ["format", "--check"]):
            command = [sys.executable, "-m", "ruff", *check, "--stdin-filename", block.path, "-"]
            done = subprocess.run(command, cwd=ROOT, input=block.text, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


def test_every_path_that_the_page_names_is_there_or_is_made_by_an_example() -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = {block.path for found in sections().values() for block in found}
    named = set(re.findall(r"`((?:stages|tests)/[\w./-]+|[\w-]+\.(?:yaml|toml|txt)|\.pre-commit-config\.yaml)`", page))
    assert len(named) > 15
    assert not [path for path in named - made if not (ROOT / path).exists()]
