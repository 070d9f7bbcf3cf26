"""The graph of the toy corpus as a whole."""

import random
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.errors import InputError
from stages.graph.__main__ import run
from stages.graph.core import Graph, build_graph, deviations
from stages.graph.params import ExpectedParams, GraphParams
from stages.ingest.__main__ import run as run_ingest
from stages.ingest.schema import Entity, Link
from stages.stage import Stage
from stages.tables import read_table
from tests.graph.sample import entity, link
from tests.toy.build import toy_params

TABLES = ("entities", "links", "splits", "paths", "negatives", "rejects")


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    params = toy_params(folder / "mirror")
    YAML().dump(params, folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_ingest(Stage("ingest"))
    return folder


@pytest.fixture(scope="module")
def rows(ingested: Path) -> tuple[list[Entity], list[Link], GraphParams]:
    params = msgspec.convert(toy_params(ingested / "mirror")["graph"], GraphParams)
    tables = ingested / "data" / "ingest"
    return read_table(tables / "entities.parquet", Entity), read_table(tables / "links.parquet", Link), params


@pytest.fixture(scope="module")
def graph(rows: tuple[list[Entity], list[Link], GraphParams]) -> Graph:
    return build_graph(*rows)


def test_two_runs_give_equal_bytes(ingested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ingested)
    made = []
    for _ in range(2):
        run(Stage("graph"))
        files = [*(f"data/graph/{table}.parquet" for table in TABLES), "metrics/graph.json", "data/graph/manifest.json"]
        made.append([Path(file).read_bytes() for file in files])
    assert made[0] == made[1]


def test_the_order_of_the_rows_does_not_matter(rows: tuple[list[Entity], list[Link], GraphParams], graph: Graph) -> None:
    entities, links = rows[0].copy(), rows[1].copy()
    random.Random(1).shuffle(entities)
    random.Random(2).shuffle(links)
    again = build_graph(entities, links, rows[2])
    assert (again.entities, again.links, again.splits, again.paths, again.negatives) == (
        graph.entities,
        graph.links,
        graph.splits,
        graph.paths,
        graph.negatives,
    )
    assert list(again.entities) == sorted(again.entities) and again.figures == graph.figures


def test_every_link_and_path_stands_on_current_entities(graph: Graph) -> None:
    known = {(link.subject, link.relation, link.object) for link in graph.links}
    assert all(not graph.entities[end].deprecated for link in graph.links for end in (link.subject, link.object))
    for path in graph.paths:
        for first, relation, second in zip(path.nodes, path.relations, path.nodes[1:], strict=False):
            step = (second, relation[1:], first) if relation.startswith("^") else (first, relation, second)
            assert step in known
    assert all((row.subject, row.relation, row.object) not in known for row in graph.negatives)


def test_a_cve_of_two_sources_is_one_entity(graph: Graph) -> None:
    merged = [entity for entity in graph.entities.values() if len(entity.fields.get("sources", [])) > 1]
    assert len(merged) == 10 and {entity.type for entity in merged} == {"vulnerability"}
    assert len(graph.splits) == len(graph.entities) == len({split.entity_id for split in graph.splits})


def test_the_toy_graph_gives_every_later_stage_something_to_do(graph: Graph) -> None:
    assert graph.figures["warnings"] == []
    for type in ("vulnerability", "technique", "weakness", "sigma-rule"):
        assert set(graph.figures["splits"][type]) >= {"train", "heldout"}, type
    assert graph.figures["paths"]["technique 3 vulnerability"] > 20
    assert graph.figures["negatives"]["vulnerability instance-of weakness"] > 300


def test_a_deviation_is_named() -> None:
    figures = {"entities": {"technique": 97}, "links": {}}
    expected = ExpectedParams(entities={"technique": 100}, links={"a uses b": 5}, tolerance=0.02)
    assert [line.split(";")[0] for line in deviations(figures, expected)] == [
        "entities `technique`: 97 instead of 100",
        "links `a uses b`: 0 instead of 5",
    ]
    assert deviations(figures, msgspec.structs.replace(expected, links={}, tolerance=0.03)) == []


def test_a_source_out_of_step_is_named_with_the_ids_that_are_missing() -> None:
    entities = [entity("a"), entity("b"), entity("old", deprecated=True)]
    skewed = [link("a", "uses", f"new{i % 4}", source="skewed") for i in range(11)] + [link("a", "uses", "old", source="skewed")]
    sound = [link("a", "uses", "b", text=str(i), source="sound") for i in range(98)] + [link("a", "uses", "lost", source="sound")]
    figures = build_graph(entities, [*skewed, *sound], GraphParams()).figures
    assert figures["unresolved"]["skewed"] == {
        "links": 12, "unresolved": 12, "share": 1.0, "ids": 5, "examples": {"new0": 3, "new1": 3, "new2": 3},
    }  # fmt: skip
    assert figures["unresolved"]["sound"]["unresolved"] == 1
    (line,) = figures["warnings"]
    assert "`skewed`: 12 of 12 links" in line and "Missing: new0, new1, new2 ..." in line
    assert build_graph(entities, skewed[:9], GraphParams()).figures["warnings"] == []
    assert "a uses old (old)" in figures["rejects"]["skewed deprecated-id"]["examples"]


def test_missing_input_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("graph: {}\n")
    with pytest.raises(InputError, match=r"entities\.parquet does not exist(?s:.*)dvc repro"):
        run(Stage("graph"))
