"""The composition table: every row counted once, in one line with those like it."""

import csv
from io import StringIO

from msgspec import structs

from stages.validate.composition import composition
from tests.validate.samples import row


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_every_row_stands_in_one_line() -> None:
    rows = [row(n) for n in range(6)]
    rows.append(structs.replace(rows[0], id="x", sources=["b", "a", "b"], licences=["MIT", "CC0-1.0"]))
    lines = read(composition(rows))
    assert sum(int(line["rows"]) for line in lines) == 7
    assert [line["licence"] for line in lines if line["source"] == "a + b"] == ["CC0-1.0 + MIT"]
    assert composition(rows) == composition(rows[::-1])


def test_an_empty_set_is_a_header() -> None:
    assert read(composition([])) == [] and composition([]).startswith("family,source")
