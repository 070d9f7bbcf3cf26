import pytest

from stages.errors import ParamsError
from stages.licences import load_classes
from stages.validate.licences import filter_licences
from stages.validate.params import LicenceParams
from tests.validate.samples import row

CLASSES = load_classes()


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
