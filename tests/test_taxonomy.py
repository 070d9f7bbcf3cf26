"""The taxonomy: ten categories, each placed in the frameworks, and the rule that labels rows."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.taxonomy import labels_of, load_taxonomy


def test_ten_categories_each_with_a_place_in_every_framework() -> None:
    taxonomy = load_taxonomy()
    assert len(taxonomy) == 10
    assert all(one.definition and one.nice and one.csf and one.cissp for one in taxonomy)
    assert all(one.types or one.domains for one in taxonomy)


def test_a_row_has_the_labels_of_its_task_and_those_of_its_subject() -> None:
    taxonomy = load_taxonomy()
    assert labels_of(["detection-engineering"], "technique", "enterprise", taxonomy) == [
        "attack-techniques",
        "detection-engineering",
    ]
    assert "platform-security" in labels_of([], "technique", "ics", taxonomy)
    assert labels_of([], "unheard-of", "", taxonomy) == []


@pytest.mark.parametrize(
    "content", ["a: {definition: x}", "a: [", "- a", "a: {definition: x, nice: [], csf: [], cissp: [], spare: 1}"]
)
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match="taxonomy.yaml"):
        load_taxonomy(path)
