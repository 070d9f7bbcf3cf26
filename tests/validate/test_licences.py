from pathlib import Path

import pytest

from stages.errors import InputError, ParamsError
from stages.validate.licences import filter_licences, load_classes, strictest
from stages.validate.params import LicenceParams
from tests.validate.samples import row

CLASSES = load_classes()


def test_a_row_is_as_strict_as_its_strictest_part() -> None:
    assert strictest(["MIT", "CC-BY-4.0"], CLASSES) == "attribution"
    assert strictest(["CC-BY-4.0", "cc-by-sa-4.0"], CLASSES) == "share-alike"
    assert strictest(["MIT", "Made up"], CLASSES) == "unknown"
    assert strictest([], CLASSES) == "unknown"
    assert strictest(["CC-BY-4.0 AND LicenseRef-MITRE-CWE"], CLASSES) == "terms"
    assert strictest(["MIT OR GPL-3.0-only"], CLASSES) == "permissive"
    assert strictest(["MIT AND Made up"], CLASSES) == "unknown"


def test_denied_and_unknown_licences_are_dropped_with_their_class_as_reason() -> None:
    rows = [row(1), row(2, licences=["MIT", "CC-BY-SA-4.0"]), row(3, licences=["Own words"])]
    kept, rejects, counts = filter_licences(rows, LicenceParams(), CLASSES)
    assert [one.id for one in kept] == [row(1).id]
    assert [(reject.reason, reject.detail) for reject in rejects] == [
        ("licence-share-alike", "CC-BY-SA-4.0; MIT"),
        ("licence-unknown", "Own words"),
    ]
    assert counts == {"share-alike": 1, "terms": 1, "unknown": 1}


def test_every_class_must_be_decided_once() -> None:
    with pytest.raises(ParamsError, match="copyleft"):
        filter_licences([], LicenceParams(allow=("permissive", "copyleft")), CLASSES)


def test_an_unknown_class_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "licences.json"
    file.write_text('{"freeish": ["X"]}')
    with pytest.raises(InputError, match="freeish"):
        load_classes(file)
