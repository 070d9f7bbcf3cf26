"""Reads dvc.yaml and the imports of the code, without running either."""

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOUNDATION = "stages/__init__.py"  # empty: it changes nothing
FOR_PEOPLE = "stages.review.terminal"  # a command that `python -m stages.formats` offers to people; DVC never runs it


def dvc_stages() -> dict[str, dict[str, Any]]:
    """Every stage of dvc.yaml as plain data."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def paths_of(entries: list[Any]) -> list[str]:
    """Paths of `outs`, `metrics` or `plots`, whose entries are strings or one-key mappings."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def import_closure(start: Path) -> dict[str, str]:
    """Every file under stages/ that `start` imports or names at any depth, inside functions too -> who imports it."""
    found: dict[str, str] = {}
    waiting = [(start, "")]
    while waiting:
        file, importer = waiting.pop()
        name = str(file.relative_to(ROOT))
        if name in found or name == FOUNDATION:
            continue
        found[name] = importer
        waiting += [(imported, name) for imported in sorted(_imports(file))]
    return found


def _imports(file: Path) -> set[Path]:
    files: set[Path] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"stages(\.\w+)+", node.value):
            names = [node.value]  # run as `python -m`, or loaded by name
        else:
            continue
        files.update(path for name in names if name.split(".")[0] == "stages" and not _for_people(name) for path in _files(name))
    return files


def _for_people(name: str) -> bool:
    return name == FOR_PEOPLE or name.startswith(f"{FOR_PEOPLE}.")


def _files(module: str) -> list[Path]:
    """The file of a module and the `__init__.py` of every package above it; nothing for a name inside a module."""
    base = ROOT.joinpath(*module.split("."))
    packages = [parent / "__init__.py" for parent in (base, *base.parents) if ROOT in parent.parents]
    return [path for path in (base.with_suffix(".py"), *packages) if path.is_file()]


def attribute_names(folder: Path) -> set[str]:
    """Every name that is read as an attribute somewhere under `folder`, or named by getattr."""
    names = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
    return names
