"""Experiment files: `library/<name>.yaml`. Unknown keys, unknown params and values of a wrong type are errors before anything runs."""

import copy
import itertools
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from stages.config import SECTIONS, load_params
from stages.errors import InputError, ParamsError
from stages.experiments.overrides import overrides
from stages.experiments.schema import AnswerFigure, Arm, Experiment, Plan
from stages.profiles.merge import merged
from stages.profiles.sections import section_type
from stages.tables import content_id

LIBRARY = Path(__file__).parent / "library"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FREE = ("runtime", "register")  # sections that say how to run or what happens after a build: no arm would differ by them
Settings = dict[str, Any]


def names(folder: Path = LIBRARY) -> list[str]:
    """Names of all experiments."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_experiment(name: str, folder: Path = LIBRARY) -> Experiment:
    """The experiment `name` with its matrix spelled out as arms."""
    if name in names(folder) and not NAME.fullmatch(name):
        raise InputError(
            f"{folder / name}.yaml has no name for an experiment.", allowed="a-z, 0-9 and single hyphens, then .yaml"
        )
    if name not in names(folder):
        raise InputError(f"there is no experiment `{name}`.", allowed=", ".join(names(folder)) or "none")
    path = folder / f"{name}.yaml"
    try:
        experiment = msgspec.convert(_read(path), Experiment)
    except msgspec.ValidationError as error:
        allowed = ", ".join(field.name for field in msgspec.structs.fields(Experiment))
        raise InputError(
            f"{path}: {error}.", allowed=allowed, remedy="Mend the key; its type is in stages/experiments/schema.py."
        ) from error
    experiment = msgspec.structs.replace(experiment, arms=[*experiment.arms, *_arms_of(experiment.matrix)], matrix={})
    _check(path, experiment)
    return experiment


def plans(name: str, experiment: Experiment, commit: str, params_file: Path) -> list[Plan]:
    """Every arm on `commit`, whose params are in `params_file`. Raises ParamsError for a key or value that no stage could read."""
    document = load_params(params_file)
    built = resolved(document)
    made = []
    for arm in experiment.arms:
        settings = experiment.common | arm.set
        params = with_settings(document, settings, f"{name}, arm {arm.name}")
        overrides(settings)  # what DVC's grammar cannot hold is refused now, not when the arms before it have run
        label = content_id(commit, experiment.target, json.dumps(params, sort_keys=True))[:6]
        made.append(Plan(arm=arm.name, experiment=f"{name}-{arm.name}-{label}", settings=settings, is_baseline=params == built))
    return made


def with_settings(document: dict[str, Any], settings: Settings, where: str) -> dict[str, Any]:
    """Resolved params of `document` with `settings`: mappings are merged, lists replaced, every key known and typed."""
    changed = copy.deepcopy(document)
    for key, value in settings.items():
        section, *path = key.split(".")
        if section not in SECTIONS or section in FREE or not path:
            allowed = ", ".join(one for one in SECTIONS if one not in FREE)
            raise ParamsError(f"{where} sets `{key}`.", allowed=f"<section>.<key> with a section of {allowed}")
        for part in reversed(path):
            value = {part: value}
        changed = merged(changed, {section: value})
    return resolved(changed, where)


def resolved(document: dict[str, Any], where: str = "params.yaml") -> dict[str, Any]:
    """Every section with its defaults, as plain data: two files that mean the same are equal."""
    sections = {}
    for section in SECTIONS:
        if section not in FREE:
            try:
                typed = msgspec.convert(document.get(section) or {}, section_type(section))
            except msgspec.ValidationError as error:
                allowed = ", ".join(field.name for field in msgspec.structs.fields(section_type(section)))
                raise ParamsError(f"{where}, section `{section}`: {error}.", allowed=f"{section}: {allowed}") from error
            sections[section] = msgspec.to_builtins(typed, str_keys=True)
    return sections


def _read(path: Path) -> Any:
    from ruamel.yaml import YAML, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {error}", remedy="Mend the line.") from error


def _arms_of(matrix: dict[str, list[Any]]) -> list[Arm]:
    """Every combination of the values listed."""
    combinations = itertools.product(*matrix.values()) if matrix else ()
    return [Arm(name=_arm_name(values), set=dict(zip(matrix, values, strict=True))) for values in combinations]


def _arm_name(values: tuple[Any, ...]) -> str:
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(texts).lower()).strip("-")[:40].strip("-")


def _check(path: Path, experiment: Experiment) -> None:
    """Raises InputError for what the types cannot say."""
    arms = [arm.name for arm in experiment.arms]
    wrong = [name for name in arms if not NAME.fullmatch(name)]
    if not arms or wrong or len(set(arms)) < len(arms):
        problem = f"arms named {', '.join(arms)}" if arms else "no arms"
        raise InputError(f"{path} has {problem}.", allowed="one or more arms with distinct names of a-z, 0-9 and single hyphens")
    for key, value in [
        (key, value) for one in (experiment.common, *(arm.set for arm in experiment.arms)) for key, value in one.items()
    ]:
        if value is None:
            raise InputError(f"{path} sets `{key}` to null.", remedy="Write the value: an arm cannot take a param away.")
    for figure in experiment.compare:
        where = (figure.benchmark, figure.protocol, figure.system)
        if (figure.figure in get_args(AnswerFigure)) != all(where) or (any(where) and not all(where)):
            raise InputError(
                f"{path} compares `{figure.figure}` with benchmark, protocol, system = {', '.join(map(repr, where))}.",
                allowed="all three for accuracy and consistency, none of them for figures of rows",
            )
