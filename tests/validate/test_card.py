from stages.validate.card import data_card
from stages.validate.core import build
from stages.validate.params import ValidateParams
from stages.validate.run import metrics_of
from tests.validate.samples import item, mapping_row, row, tables

PARAMS = ValidateParams()


def card(items: list) -> str:
    rows = [*tables()["rows"], mapping_row(40), row(41, licences=["Own | words"])]
    built = build(rows, [], items, PARAMS)
    return data_card(built, metrics_of([], built, 28, 3, PARAMS), PARAMS)


def test_the_card_tells_composition_drops_and_decontamination() -> None:
    text = card([item(0)])
    assert text.startswith("---\nlanguage: [en]")
    assert "| terms | 28 | 3 | 100.0% |" in text
    assert "| licence-unknown | 1 |" in text
    assert "| secforge-rcm | 1 | 0 | 0 | 0 | none |" in text
    assert "| cwe | 1 | 0 | 3.2% |" in text
    for heading in (
        "By source",
        "By task",
        "By family",
        "By licence",
        "By key kind",
        "By decision",
        "Length in words",
        "Rebuild",
    ):
        assert f"## {heading}" in text


def test_an_unchecked_benchmark_is_never_shown_as_clean() -> None:
    text = card([])
    assert "**Not checked**" in text
    assert "items touched" not in text
