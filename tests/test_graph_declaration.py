"""What dvc.yaml and params.yaml declare is what the code does: no untracked import, no dead dependency, no dead key."""

from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from stages.config import SECTIONS, Params, load_params, load_section
from stages.profiles.sections import section_type
from tests.graph_reader import ROOT, attribute_names, dvc_stages, import_closure, paths_of

STAGES = dvc_stages()


def _covers(dep: str, file: str) -> bool:
    return file == dep or file.startswith(f"{dep}/")


@pytest.mark.parametrize("name", STAGES)
def test_every_imported_module_is_a_dependency(name: str) -> None:
    closure = import_closure(ROOT / "stages" / name / "__main__.py")
    empty = {file for file in closure if file.endswith("__init__.py") and not (ROOT / file).read_text().strip()}
    missing = {
        file: importer
        for file, importer in closure.items()
        if file not in empty and not any(_covers(dep, file) for dep in STAGES[name]["deps"])
    }
    assert not missing, f"stage {name}: add to deps: " + ", ".join(f"{file} (imported by {by})" for file, by in missing.items())


@pytest.mark.parametrize("name", STAGES)
def test_no_dependency_on_code_that_is_not_imported(name: str) -> None:
    closure = import_closure(ROOT / "stages" / name / "__main__.py")
    code = [dep for dep in STAGES[name]["deps"] if dep.startswith("stages/") and not _is_data(ROOT / dep)]
    superfluous = [dep for dep in code if not any(_covers(dep, file) for file in closure)]
    assert not superfluous, f"stage {name}: remove from deps, nothing imports them: {', '.join(superfluous)}"


def _is_data(path: Path) -> bool:
    """A prompt, a template or a folder of them: read, not imported."""
    return not any(path.rglob("*.py")) if path.is_dir() else path.suffix != ".py"


@pytest.mark.parametrize("name", STAGES)
def test_a_template_beside_an_imported_module_is_a_dependency(name: str) -> None:
    modules = {(ROOT / file).with_suffix("") for file in import_closure(ROOT / "stages" / name / "__main__.py")}
    beside = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "stages").glob("*.*")
        if path.suffix != ".py" and path.with_suffix("") in modules
    }
    missing = sorted(beside - set(STAGES[name]["deps"]))
    assert not missing, f"stage {name}: add to deps: {', '.join(missing)}"


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_one_name_everywhere(name: str) -> None:
    stage = STAGES[name]
    assert stage["cmd"] == f"python -m stages.{name}"
    assert any(_covers(dep, f"stages/{name}/__main__.py") for dep in stage["deps"])
    assert any(param == name for param in stage["params"])
    assert f"data/{name}/manifest.json" in paths_of(stage["outs"])
    assert all(path.startswith((f"data/{name}/", f"models/{name}")) for path in paths_of(stage["outs"]))
    figures = paths_of(stage.get("metrics", [])) + paths_of(stage.get("plots", []))
    assert all(path.startswith((f"metrics/{name}.", f"metrics/{name}_")) for path in figures)


@pytest.mark.parametrize("name", STAGES)
def test_every_input_is_made_by_another_stage_or_is_in_git(name: str) -> None:
    made = [path for other in STAGES.values() for kind in ("outs", "metrics", "plots") for path in paths_of(other.get(kind, []))]
    unknown = [dep for dep in STAGES[name]["deps"] if not (ROOT / dep).exists() and dep not in made]
    assert not unknown, f"stage {name}: no stage makes {unknown}"
    assert "runtime" not in " ".join(map(str, STAGES[name]["params"]))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_params_file_has_a_type_that_loads_it(section: str) -> None:
    load_section(section, section_type(section), ROOT / "params.yaml")


def test_the_params_file_names_every_section() -> None:
    assert set(load_params(ROOT / "params.yaml")) == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_read_by_code(section: str) -> None:
    read = attribute_names(ROOT / "stages")
    unread = sorted(key for key in _keys(section_type(section)) if key not in read)
    assert not unread, f"section {section}: no code reads {', '.join(unread)}"


def _keys(params: type[msgspec.Struct]) -> set[str]:
    """Field names of a section and of the sections inside it."""
    names: set[str] = set()
    for name, annotation in get_type_hints(params).items():
        names.add(name)
        for inner in _structs(annotation):
            names |= _keys(inner)
    return names


def _structs(annotation: Any) -> list[type[Params]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return [annotation]
    return [struct for argument in get_args(annotation) for struct in _structs(argument)]
