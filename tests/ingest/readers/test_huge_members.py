"""A zip member that declares gigabytes is one reject of every reader of archives of JSON, and is not unpacked."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.readers import test_csaf, test_cve, test_mappings
from tests.ingest.reading import read_with

CASES = {
    "cve": ("CVE-2031-{}.json", test_cve.RECORD),
    "csaf": ("csaf/2031/{}.json", test_csaf.ADVISORY),
    "mappings": ("mappings/{}.json", test_mappings.SCORED),
}


@pytest.mark.parametrize("reader", CASES)
def test_a_member_that_declares_gigabytes(tmp_path: Path, reader: str) -> None:
    name, record = CASES[reader]
    path = _declare_gigabytes(tmp_path / "archive.zip", name, record)
    records = read_with(reader, {"advisories": path})
    assert records.links and [(one.record, one.reason) for one in records.rejects] == [
        (f"archive.zip > {name.format('huge')}", "oversized"),
    ]  # fmt: skip


def _declare_gigabytes(path: Path, name: str, record: Any) -> Path:
    """A zip of two records; the directory says of the first that it has four gigabytes."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name.format("huge"), json.dumps(record))
        archive.writestr(name.format("whole"), json.dumps(record))
    raw = bytearray(path.read_bytes())
    size = raw.index(b"PK\x01\x02") + 24  # the field in the first entry of the central directory
    raw[size : size + 4] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(raw)
    return path
