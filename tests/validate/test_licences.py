import pytest

from stages.errors import ParamsError
from stages.licences import load_classes
from stages.validate.licences import filter_licences, kept_apart
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


def test_a_denied_class_with_a_split_is_kept_and_stays_apart() -> None:
    shared, free = row(2, licences=["MIT", "CC-BY-SA-4.0"]), row(1)
    rows = [free, shared, row(3, licences=["GPL-3.0-only"])]
    params = LicenceParams(splits=("share-alike",))
    kept, rejects, counts = filter_licences(rows, params, CLASSES)
    assert kept_apart(kept, params, CLASSES) == ([free], [shared])
    assert [one.reason for one in rejects] == ["licence-copyleft"] and counts == {"copyleft": 1, "share-alike": 1, "terms": 1}
    assert kept_apart(kept, LicenceParams(), CLASSES) == (kept, [])


@pytest.mark.parametrize("name", ["terms", "unknown", "sharealike"])
def test_only_a_denied_and_known_class_may_have_a_split(name: str) -> None:
    with pytest.raises(ParamsError, match=name):
        filter_licences([], LicenceParams(splits=(name,)), CLASSES)
