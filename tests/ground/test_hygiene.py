"""No evidence may come from a held-out subject or give away a benchmark item."""

from pathlib import Path

import pytest

from stages.config import load_section
from stages.errors import ParamsError
from stages.graph.schema import Split
from stages.ground.hygiene import usable_passages
from stages.ground.params import GroundParams
from stages.validate.params import LicenceParams
from tests.toy_rows import make_item, make_passage

QUESTION = (
    "An attacker who can reach the admin page of the Foo gallery may upload a script and run it. Which weakness? CVE-2021-1111"
)
ITEMS = [make_item(QUESTION)]


def usable(*passages: object, deny: tuple[str, ...] = ()) -> tuple[list[str], dict[str, int]]:
    splits = [Split(entity_id="cve:CVE-2020-1", split="heldout"), Split(entity_id="cve:CVE-2020-2", split="train")]
    kept, counts = usable_passages(passages, splits, ITEMS, 13, deny)  # type: ignore[arg-type]
    return [passage.entity_id for passage in kept], counts


def test_each_kind_of_leak_is_left_out_and_counted() -> None:
    kept, counts = usable(
        make_passage("cve:CVE-2020-1", "Held out."),
        make_passage("cve:CVE-2020-2", "Trained on."),
        make_passage("cwe:CWE-434", "Observed in cve-2021-1111 too."),
        make_passage("cve:CVE-2021-9999", "The subject of an item."),
        make_passage("cwe:CWE-79", "We say: attacker who can reach the ADMIN page, of the Foo-gallery, may upload a script!"),
        make_passage("cwe:CWE-80", "An attacker who can reach the admin page may do harm."),
        make_passage("cwe:CWE-81", "  "),
    )
    assert kept == ["cve:CVE-2020-2", "cwe:CWE-80"]
    assert counts == {"held-out": 1, "licence-denied": 0, "benchmark-cve": 2, "benchmark-ngram": 1, "empty": 1, "usable": 2}


def test_a_text_of_exactly_thirteen_shared_words_is_caught_and_twelve_are_not() -> None:
    words = QUESTION.split()
    assert usable(make_passage("cwe:CWE-1", " ".join(words[2:15])))[0] == []
    assert usable(make_passage("cwe:CWE-1", " ".join(words[2:14])))[0] == ["cwe:CWE-1"]


def test_a_passage_of_a_denied_class_of_licences_is_never_evidence() -> None:
    passages = [
        make_passage("cwe:CWE-1", "Free.", licence="CC0-1.0"),
        make_passage("cwe:CWE-2", "Shared alike.", licence="CC-BY-SA-4.0"),
        make_passage("cwe:CWE-3", "Of a licence that no list names.", licence="Acme private"),
        make_passage("cwe:CWE-4", "Joined of two sources.", licence="MIT AND CC-BY-SA-4.0"),
        make_passage("cwe:CWE-5", "Of two to choose from.", licence="MIT OR CC-BY-SA-4.0"),
    ]
    kept, counts = usable(*passages, deny=GroundParams().deny)
    assert kept == ["cwe:CWE-1", "cwe:CWE-5"] and counts["licence-denied"] == 3
    assert len(usable(*passages)[0]) == 5


def test_a_class_that_does_not_exist_is_refused_with_the_list(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("ground: {deny: [sharealike]}\n")
    with pytest.raises(ParamsError, match="sharealike"):
        load_section("ground", GroundParams, tmp_path / "params.yaml")


def test_the_default_denies_what_may_not_train() -> None:
    assert GroundParams().deny == LicenceParams().deny
