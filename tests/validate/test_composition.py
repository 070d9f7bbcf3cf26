"""The composition tables: every row counted once, in one line with those like it, and once for each value of a property."""

import csv
from collections import defaultdict
from io import StringIO
from pathlib import Path

import pytest
from msgspec import structs

from stages.validate.composition import Facts, bucket, composition, composition_metrics, dimensions, year_of
from stages.validate.lengths import Lengths, measure_lengths
from tests.tiny_model import make_tiny_model
from tests.validate.samples import mapping_row, row


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


def letters() -> list:
    return [row(n, key_kind="letter", answer_key=[letter]) for n, letter in enumerate("AABD")]


def table(rows: list, facts: Facts) -> dict[str, dict[str, tuple[int, float]]]:
    found: dict[str, dict[str, tuple[int, float]]] = defaultdict(dict)
    for line in read(dimensions(rows, facts)):
        found[line["dimension"]][line["value"]] = int(line["rows"]), float(line["share"])
    return found


def test_every_property_counts_the_rows_to_which_it_applies() -> None:
    rows = [*letters(), mapping_row(9, subject="cve:CVE-2019-1", sources=["cve", "cwe"]), row(10)]
    found = table(rows, Facts({"cwe:CWE-1": "2023-05-01"}, measure_lengths(rows, Path("none"))))
    assert found["right letter"] == {"A": (2, 0.5), "B": (1, 0.25), "D": (1, 0.25)}
    assert found["year"] == {"2019": (1, 0.1667), "2023": (1, 0.1667), "not stated": (4, 0.6667)}
    assert found["type"] == {"multiple choice": (4, 0.6667), "free text": (1, 0.1667), "identifier": (1, 0.1667)}
    assert found["source"] == {"cwe": (6, 1.0), "cve": (1, 0.1667)}
    for name in ("family", "task", "licence class", "decision", "length"):
        assert sum(count for count, _ in found[name].values()) == len(rows)


def test_the_metric_holds_the_same_figures_as_the_table() -> None:
    rows = letters()
    facts = Facts({}, measure_lengths(rows, Path("none")))
    figures, found = composition_metrics(rows, facts), table(rows, facts)
    assert all({value: count for value, (count, _) in found[name].items()} == one for name, one in figures["by"].items())
    words = [len(f"{one.instruction} {one.answer}".split()) for one in rows]
    assert figures["length"]["unit"] == "words" and figures["length"]["longest"] == max(words)


@pytest.mark.parametrize(
    ("length", "name"), [(0, "1-64"), (64, "1-64"), (65, "65-128"), (2048, "1025-2048"), (2049, "over 2048"), (9999, "over 2048")]
)
def test_lengths_fall_into_powers_of_two(length: int, name: str) -> None:
    assert bucket(length) == name


def test_lengths_stand_in_their_order() -> None:
    rows = [row(n) for n in range(5)]
    of = {one.id: (length, 0) for one, length in zip(rows, (3000, 70, 10, 1500, 200), strict=True)}
    assert list(table(rows, Facts({}, Lengths("words", of)))["length"]) == ["1-64", "65-128", "129-256", "1025-2048", "over 2048"]


def test_the_year_of_a_subject() -> None:
    assert year_of("cve:CVE-2021-44228", {}) == "2021" and year_of("cve:CVE-2021-1", {"cve:CVE-2021-1": "2022-01-03"}) == "2022"
    assert year_of("cwe:CWE-79", {}) == "not stated"


def test_tokens_are_those_of_the_base_model(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "base")
    from transformers import AutoTokenizer

    rows = [row(n) for n in range(3)]
    lengths, tokenizer = measure_lengths(rows, tmp_path / "base"), AutoTokenizer.from_pretrained(tmp_path / "base")
    assert lengths.unit.startswith("tokens of models/base (tokenizer.json ")
    for one in rows:
        wanted = tuple(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in (one.instruction, one.answer))
        assert lengths.of[one.id] == wanted


def test_of_many_rows_equally_spaced_ones_are_measured() -> None:
    rows = [row(n) for n in range(9_000)]
    lengths = measure_lengths(rows, Path("none"))
    assert lengths.of.keys() == {one.id for one in sorted(rows, key=lambda one: one.id)[::2]}
    assert lengths.summary()["measured_rows"] == 4_500
