from pathlib import Path

import pytest

from stages.validate.card import data_card
from stages.validate.composition import Facts
from stages.validate.core import build
from stages.validate.lengths import measure_lengths
from stages.validate.params import LicenceParams, ValidateParams
from stages.validate.run import metrics_of
from tests.validate.samples import item, mapping_row, row, tables

PARAMS = ValidateParams()


def card(items: list, params: ValidateParams = PARAMS) -> str:
    rows = [*tables()["rows"], mapping_row(40), row(41, licences=["Own | words"]), row(42, licences=["CC-BY-SA-4.0"])]
    built = build(rows, [], items, params)
    facts = Facts({"cwe:CWE-3": "2024-02-01"}, measure_lengths(built.rows))
    return data_card(built, metrics_of([], built, 28, 3, params), params, facts)


def test_the_card_tells_composition_drops_and_decontamination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a checkout with a build measures lengths in tokens of its base model
    text = card([item(0)])
    assert text.startswith("---\npretty_name: SecForge instruction data\nlanguage: [en]")
    assert "| 2024 | 1 | 0 | 3.2% |" in text and "| not stated | 27 | 3 | 96.8% |" in text
    assert "In words, of 31 rows" in text and "Kept apart" not in text
    assert "| terms | 28 | 3 | 100.0% |" in text
    assert "| licence-unknown | 1 |" in text
    assert "| secforge-rcm | 1 | 0 | 0 | 0 | none |" in text
    assert "| identifier | 1 | 0 | 3.2% |" in text
    for heading in (
        "By source",
        "By task",
        "By family",
        "By licence",
        "By licence class",
        "By type",
        "By label",
        "By length",
        "By year",
        "By decision",
        "Length",
        "Rebuild",
    ):
        assert f"## {heading}" in text


def test_an_unchecked_benchmark_is_never_shown_as_clean() -> None:
    text = card([])
    assert "**Not checked**" in text
    assert "items touched" not in text


def test_classes_that_are_kept_apart_have_a_table_of_their_own() -> None:
    text = card([], ValidateParams(licences=LicenceParams(splits=("share-alike",))))
    assert "## Kept apart by licence" in text and "| share-alike | 1 | 0 |" in text and "| kept apart | 1 |" in text
    assert "| CC-BY-SA-4.0 |" not in text


def test_the_front_matter_is_valid_yaml_of_the_hub() -> None:
    from huggingface_hub import DatasetCard

    data = DatasetCard(card([])).data.to_dict()
    assert data["license"] == "other" and data["license_name"] and data["size_categories"] == ["n<1K"]
