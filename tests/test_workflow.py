"""Files for continuous integration, pre-commit and the container: they parse, ask for little, and name what exists."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.graph_reader import ROOT, import_closure

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def read(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_there_is_a_workflow() -> None:
    assert WORKFLOWS


def test_actions_are_pinned_and_checkouts_leave_no_token(workflow: dict[str, Any]) -> None:
    used = [step for step in steps(workflow) if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in used)
    checkouts = [step for step in used if step["uses"].startswith("actions/checkout@")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_what_may_write_runs_no_code_of_a_pull_request(workflow: dict[str, Any]) -> None:
    assert "pull_request_target" not in workflow["on"] and workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in str(workflow)
    for job in workflow["jobs"].values():
        if "write" in job.get("permissions", {}).values():
            assert not [step for step in job["steps"] if "checkout" in step.get("uses", "")]
            assert "head.repo.full_name == github.repository" in job["if"]


def test_no_expression_of_a_pull_request_stands_in_a_script(workflow: dict[str, Any]) -> None:
    assert not [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")]


def test_commands_name_what_exists(workflow: dict[str, Any]) -> None:
    scripts = "\n".join(step.get("run", "") for step in steps(workflow))
    assert set(re.findall(r"\bmake ([\w-]+)", scripts)) <= TARGETS
    for file in re.findall(r"^(\.[\w./-]+)", scripts, re.MULTILINE):
        assert (ROOT / file).stat().st_mode & 0o100, file
    modules = re.findall(r"python -m (stages[\w.]*)(?: (\w+))?", scripts)
    assert modules
    for module, command in modules:
        assert (ROOT / module.replace(".", "/") / "__main__.py").exists()
        assert not command or (ROOT / module.replace(".", "/") / f"{command}.py").exists()
    assert ".ci/run" in scripts and "ruff check stages tests" in scripts


def test_packages_of_the_workflow_are_pinned(workflow: dict[str, Any]) -> None:
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}
    installed = [name for step in steps(workflow) for line in re.findall(r"pip install -c constraints.txt (.+)", step.get("run", "")) for name in line.split()]  # fmt: skip
    assert installed and {name.lower() for name in installed} <= pinned


def test_the_comparison_needs_no_more_than_the_workflow_installs() -> None:
    script = next(step["run"] for step in read(WORKFLOWS[0])["jobs"]["compare"]["steps"] if "pip install" in step.get("run", ""))
    installed = {name.split(".")[0] for name in script.split("constraints.txt ")[1].split()}
    read_files = import_closure(ROOT / "stages/report/compare.py")
    assert len(read_files) > 5 and imported(read_files) - {"stages", *sys.stdlib_module_names} <= installed


def imported(files: Iterable[str]) -> set[str]:
    """The packages that these files import, inside functions too."""
    nodes = [node for file in files for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def test_ruff_of_pre_commit_is_the_pinned_one() -> None:
    hooks = {repo["repo"].rsplit("/", 1)[1]: repo for repo in read(ROOT / ".pre-commit-config.yaml")["repos"]}
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["test"]
    assert f"ruff=={hooks['ruff-pre-commit']['rev'].removeprefix('v')}" in extra
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", repo["rev"]) for repo in hooks.values())


def test_the_containers_image_is_pinned_and_copies_what_exists() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM \S+:\d[\w.-]+(@sha256:\w{64})?$", text, re.MULTILINE)
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for name in line.split()]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied and all((ROOT / name).exists() and f"!{name}" in ignored for name in copied)
    assert set(re.findall(r"secforge make ([\w-]+)", text)) | set(re.findall(r'CMD \["make", "([\w-]+)"', text)) <= TARGETS
