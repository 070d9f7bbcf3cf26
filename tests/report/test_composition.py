"""The composition tables as the report reads them."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.report.composition import read_composition, read_dimensions

HEADER = "family,source,licence,type,rows\n"


def test_most_rows_first(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}a,s,l,t,3\nb,s,l,t,12\n")
    assert [line["family"] for line in read_composition(path)] == ["b", "a"]
    assert read_composition(tmp_path / "none.csv") == []


@pytest.mark.parametrize("content", ["", "step,loss\n1,2\n", f"{HEADER}a,s,l,t,many\n", f"{HEADER}a\n"])
def test_another_table_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.csv"
    path.write_text(content)
    with pytest.raises(InputError, match="c.csv is no composition table"):
        read_composition(path)


def test_properties_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("dimension,value,rows,share\nyear,2020,3,0.3\nyear,2021,7,0.7\nfamily,a,10,1.0\n")
    found = read_dimensions(path)
    assert list(found) == ["year", "family"] and [line["value"] for line in found["year"]] == ["2020", "2021"]
    assert read_dimensions(tmp_path / "none.csv") == {}
    path.write_text(f"{HEADER}a,s,l,t,3\n")
    with pytest.raises(InputError, match="d.csv is no composition table"):
        read_dimensions(path)
