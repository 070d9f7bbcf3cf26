"""The worked examples of CONTRIBUTING.md: read from the page, applied to a copy of the project."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from tests.graph_reader import ROOT

PAGE = ROOT / "CONTRIBUTING.md"
PARAMS = "params.yaml"
_BLOCK = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(msgspec.Struct, frozen=True):
    """One fenced block; `path` is empty for a diff and for commands."""

    language: str
    path: str
    text: str

    def lines_of_change(self) -> int:
        """Lines that a person writes or removes."""
        lines = self.text.splitlines()
        if self.language == "diff":
            return sum(line[0] in "+-" and not line.startswith(("+++", "---")) for line in lines)
        return sum(bool(line.strip()) for line in lines)


def sections() -> dict[str, list[Block]]:
    """The blocks of every section, by its heading."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        title: [Block(*found) for found in _BLOCK.findall(text)] for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def changes(blocks: list[Block]) -> list[Block]:
    """The blocks that change the project."""
    return [block for block in blocks if block.path or block.language == "diff"]


def copy_project(root: Path, params: dict[str, Any]) -> None:
    """The stages and these params, in a new folder."""
    shutil.copytree(ROOT / "stages", root / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dvc.yaml", root / "dvc.yaml")
    _yaml().dump(params, root / PARAMS)


def apply(block: Block, root: Path) -> None:
    """Merge into the params, append to a file that is there, write a new one, or apply a diff."""
    path = root / block.path
    if block.language == "diff":
        subprocess.run(["git", "apply", "-"], cwd=root, input=block.text, text=True, check=True)
    elif block.path == PARAMS:
        params = _yaml().load(path.read_text(encoding="utf-8"))
        _merge(params, _yaml().load(block.text))
        _yaml().dump(params, path)
    else:
        with path.open("a", encoding="utf-8") as file:
            file.write(block.text)


def _merge(target: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = [*target.get(key, []), *value] if isinstance(value, list) else value


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)
