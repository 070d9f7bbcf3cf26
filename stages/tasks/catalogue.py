"""The table of tasks and their phrasings: data files beside the code, checked when they are read."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from stages.errors import InputError
from stages.knowledge import Knowledge
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams

FOLDER = Path(__file__).parent
LEAST_PHRASINGS = 5

Generator = Callable[[Knowledge, TasksParams], Iterator[Draft | Skip]]


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task type: its own relation or reasoning."""

    name: str
    family: str
    key: Literal["letter", "yes-no", "cwe", "technique", "id", "vector", "none"]
    labels: list[str]
    relation: str  # the link that an answer rests on, or the field of an entry (`text`, `platforms`, ...)
    generator: str  # `module.function` in stages.tasks
    phrasings: list[str] = []  # question templates, from phrasings/<name>.yaml


def load_catalogue(folder: Path = FOLDER) -> list[Task]:
    """All tasks by name, with their phrasings. Raises InputError naming the file that must be mended."""
    table = read_yaml(folder / "tasks.yaml")
    try:
        tasks = [msgspec.convert({"name": name, **entry}, Task) for name, entry in sorted(table.items())]
    except (msgspec.ValidationError, TypeError) as error:
        raise InputError(f"{folder / 'tasks.yaml'}: {error}.", remedy="Mend the entry (stages.tasks.catalogue.Task).") from error
    return [msgspec.structs.replace(task, phrasings=_phrasings(folder, task.name)) for task in tasks]


def generator_of(task: Task) -> Generator:
    """The function that `task` names."""
    module, _, function = task.generator.partition(".")
    found = getattr(importlib.import_module(f"stages.tasks.{module}"), function, None)
    if found is None:
        raise InputError(f"tasks.yaml, {task.name}: there is no generator {task.generator}.", remedy="Write it or mend the name.")
    return found


def read_yaml(path: Path) -> dict[str, Any]:
    """A mapping from a file beside the code. Raises InputError that names the file."""
    from ruamel.yaml import YAML, YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", remedy="Write it: every task has its phrasings beside the code.") from None
    except YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}", remedy="Mend the file.") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} holds no mapping.", remedy="Mend the file.")
    return document


def _phrasings(folder: Path, name: str) -> list[str]:
    path = folder / "phrasings" / f"{name}.yaml"
    phrasings = read_yaml(path).get("questions", [])
    if len(phrasings) < LEAST_PHRASINGS or not all(isinstance(one, str) and one.strip() for one in phrasings):
        raise InputError(
            f"{path} has {len(phrasings)} phrasing(s).",
            allowed=f"{LEAST_PHRASINGS} or more",
            remedy="Write more under `questions`.",
        )
    return [one.strip() for one in phrasings]
