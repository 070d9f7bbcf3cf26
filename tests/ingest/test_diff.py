"""What a source update changes, and what of the last build rests on it."""

import json
from pathlib import Path

import pytest
from msgspec import structs
from ruamel.yaml import YAML

from stages.ingest.__main__ import run
from stages.ingest.diff import Uses, affected, as_text, compare_sources, linked_ends, touched
from stages.ingest.diff_command import main
from stages.stage import Stage
from tests.ingest.conftest import Toy
from tests.tasks.small_graph import entity, link
from tests.toy.build import toy_params

OLD = [entity(f"cwe:CWE-{n}", "weakness", f"Slip {n}", "A text.") for n in range(5)]
LINKS = [link("cwe:CWE-1", "child-of", "cwe:CWE-2"), link("cwe:CWE-2", "child-of", "cwe:CWE-3")]


def updated() -> list:
    gone, same, withdrawn, reworded, refilled = OLD
    return [
        same,
        structs.replace(withdrawn, deprecated=True, version="2"),
        structs.replace(reworded, text="Another text."),
        structs.replace(refilled, fields={"severity": "high"}),
        structs.replace(gone, id="cwe:CWE-9"),
    ]


def test_every_kind_of_change_is_told_apart() -> None:
    (change,) = compare_sources((OLD, LINKS), (updated(), LINKS[:1])).values()
    assert change.entities == {
        "added": ["cwe:CWE-9"],
        "other fields": ["cwe:CWE-4"],
        "removed": ["cwe:CWE-0"],
        "reworded": ["cwe:CWE-3"],
        "withdrawn": ["cwe:CWE-2"],
    }
    assert change.links == {"- child-of": 1}


def test_a_reworded_link_touches_the_rows_with_both_ends() -> None:
    changes = compare_sources((OLD, LINKS), (OLD, [structs.replace(LINKS[0], text="Another text."), LINKS[1]]))
    assert changes["test"].links == {"~ child-of": 1} and not changes["test"].entities
    uses = [
        Uses("mapping", ["cwe:CWE-1", "cwe:CWE-2"]),
        Uses("mapping", ["cwe:CWE-2", "cwe:CWE-3"]),
        Uses("other", ["cwe:CWE-1"]),
    ]
    found = affected(uses, touched(changes), linked_ends(changes))
    assert found == {"mapping": {"all": 2, "other links": 1}}
    assert "1 child-of reworded" in as_text(changes, found, {})


def test_what_another_source_still_has_is_not_removed() -> None:
    other = structs.replace(OLD[0], source="other")
    changes = compare_sources(([*OLD[:1], other], []), ([other], []))
    assert changes["test"].entities == {"other fields": ["cwe:CWE-0"]}


def test_nothing_changed_is_said_so() -> None:
    assert compare_sources((OLD, LINKS), (OLD[::-1], LINKS[::-1])) == {}
    assert "No source differs" in as_text({}, {}, {})


def test_rows_are_counted_once_by_their_gravest_change() -> None:
    changed = touched(compare_sources((OLD, []), (updated(), [])))
    uses = [
        Uses("mapping", ["cwe:CWE-0", "cwe:CWE-3"]),
        Uses("mapping", ["cwe:CWE-3"]),
        Uses("mapping", ["cwe:CWE-1"]),
        Uses("untouched", ["cwe:CWE-1"]),
    ]
    assert affected(uses, changed) == {"mapping": {"all": 3, "removed": 1, "reworded": 1}}


def test_a_source_that_came_and_one_that_went() -> None:
    other = [structs.replace(one, source="new", version="7") for one in OLD[:1]]
    changes = compare_sources((OLD, []), (other, []))
    assert changes["new"].versions == ("", "7") and changes["test"].versions == ("1", "")
    text = as_text(changes, {}, {})
    assert "new: (not there) -> 7" in text and "test: 1 -> (not there)" in text


def test_the_command_against_a_build(
    tmp_path: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    params = toy_params(tmp_path / "mirror")
    YAML().dump(params, tmp_path / "params.yaml")
    run(Stage("ingest"))
    with pytest.raises(SystemExit, match="rows.parquet cannot be read"):
        main([])
    import pyarrow as pa
    import pyarrow.parquet as pq

    for folder, owner in (("tasks", "task"), ("benchmarks", "benchmark")):
        name = {"tasks": "rows", "benchmarks": "items"}[folder]
        (tmp_path / "data" / folder).mkdir()
        table = pa.table({owner: ["about-d3fend"], "entity_ids": [["d3fend:D3-AA", "x"]]})
        pq.write_table(table, tmp_path / "data" / folder / f"{name}.parquet")
    capsys.readouterr()
    main([])
    assert capsys.readouterr().out.strip() == "No source differs from the last build."
    del params["ingest"]["sources"]["nist"], params["ingest"]["pins"]["nist"]
    YAML().dump(params, tmp_path / "params.yaml")
    main(["--json", "report.json"])
    assert "nist: " in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(report["sources"]) == ["nist"] and report["sources"]["nist"]["entities"]["removed"]
