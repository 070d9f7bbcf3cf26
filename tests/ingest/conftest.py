"""The toy corpus, built once, and a way to read it with something changed."""

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.fetch import fetch
from stages.ingest.core import ingest
from stages.ingest.params import IngestParams
from stages.ingest.records import Records
from stages.runtime import RuntimeParams
from tests.toy.build import build_toy_sources, write_container

Change = Callable[[Any], Any]


class Toy:
    """The toy sources in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.section = folder, build_toy_sources(folder)

    def read(self, **changes: Any) -> dict[str, Records]:
        """Records by source; `changes` are keys of the section that take the place of the toy's."""
        params = msgspec.convert(self.section | changes, IngestParams)
        paths = fetch(params.pins, RuntimeParams(mirror=str(self.folder), offline=True))
        return {records.name: records for records in ingest(params, paths)}

    def read_changed(self, source: str, pin: str, member: str, change: Change) -> Records:
        """Records of one source, after `change` was applied to the content of one member of a container."""
        section = copy.deepcopy(self.section)
        with zipfile.ZipFile(self.folder / section["pins"][pin]["path"]) as archive:
            members: dict[str, Any] = {name: archive.read(name).decode() for name in archive.namelist()}
        name = next(name for name in members if name.endswith(member))
        content = members[name] if name.endswith(".xml") else json.loads(members[name])
        members[name] = change(content)
        folder = self.folder / f"changed-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        section["pins"][pin] = write_container(folder / "changed.whl", members)
        section["pins"][pin]["path"] = str((folder / "changed.whl").relative_to(self.folder))
        section["sources"] = {source: section["sources"][source]}
        used = {file["pin"] for file in section["sources"][source]["files"].values()}
        section["pins"] = {key: value for key, value in section["pins"].items() if key in used}
        params = msgspec.convert(section, IngestParams)
        return ingest(params, fetch(params.pins, RuntimeParams(mirror=str(self.folder), offline=True)))[0]


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    return Toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def records(toy: Toy) -> dict[str, Records]:
    return toy.read()
