"""Classes of licences: the strictest part counts, what no list names is unknown."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.licences import load_classes, strictest

CLASSES = load_classes()


def test_a_row_is_as_strict_as_its_strictest_part() -> None:
    assert strictest(["MIT", "CC-BY-4.0"], CLASSES) == "attribution"
    assert strictest(["CC-BY-4.0", "cc-by-sa-4.0"], CLASSES) == "share-alike"
    assert strictest(["MIT", "Made up"], CLASSES) == "unknown"
    assert strictest([], CLASSES) == "unknown"
    assert strictest(["CC-BY-4.0 AND LicenseRef-MITRE-CWE"], CLASSES) == "terms"
    assert strictest(["MIT OR GPL-3.0-only"], CLASSES) == "permissive"
    assert strictest(["MIT AND Made up"], CLASSES) == "unknown"


def test_an_unknown_class_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "licences.json"
    file.write_text('{"freeish": ["X"]}')
    with pytest.raises(InputError, match="freeish"):
        load_classes(file)


def test_brackets_are_not_read_as_if_they_were_not_there() -> None:
    assert strictest(["(MIT OR GPL-3.0-only)"], CLASSES) == "permissive"
    for expression in ("GPL-3.0-only AND (MIT OR Apache-2.0)", "(MIT OR Apache-2.0) AND GPL-3.0-only", "((MIT)", "MIT)"):
        assert strictest([expression], CLASSES) == "unknown"
