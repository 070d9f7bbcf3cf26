"""Attack flows: the order of steps, both layouts, and what a hostile archive may not do."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.ingest.readers.attack_flow.flows import BLOCKS_LIMIT
from stages.ingest.readers.attack_flow.graph import Action, Flow, following_actions, ordered_actions
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, NO_DOCUMENTS, SLOW
from tests.ingest.reading import read_with


def block(kind: str, id: str, **properties: Any) -> dict[str, Any]:
    return {"id": kind, "instance": id, "properties": list(properties.items()), "anchors": {"0": f"{id}-a"}}


def line(source: str, target: str) -> list[dict[str, Any]]:
    ends = [f"{source}>{target}-s", f"{source}>{target}-t"]
    return [
        {"id": "dynamic_line", "instance": "".join(ends), "source": ends[0], "target": ends[1], "handles": []},
        {"id": "vertical_anchor", "instance": f"{source}-a", "latches": [ends[0]]},
        {"id": "horizontal_anchor", "instance": f"{target}-a", "latches": [ends[1]]},
    ]


REPORTS = [["key", [["source_name", "Paper"], ["url", "https://paper.example"]]]]
ABOUT = block("flow", "f", name="Pie Fight", description="Pies **flew**.", scope="incident", external_references=REPORTS,
              created={"time": "2031-01-02T03:04", "zone": "UTC"})  # fmt: skip
OBJECTS = [
    ABOUT,
    block("action", "throw", name="Throw", ttp=[["tactic", "TA9002"], ["technique", "T9002"]], description="The pie [T9002] flies far."),
    block("action", "bake", name="Bake", technique_id="T9001.001", tactic_id="TA9001", ttp=[], description=None),
    block("action", "smile", name="Smile", ttp=[["tactic", None], ["technique", "[ATL] AML.T9003 Smiles"]], description="x"),
    block("action", "bow", name="Bow", ttp=None),
    block("condition", "ready", description="The pie is ready"),
    block("vulnerability", "v", name="CVE 2031-90001"),
    *line("bake", "ready"), *line("ready", "throw"), *line("throw", "smile"), *line("throw", "v"),
]  # fmt: skip
DOCUMENT = {"schema": "attack_flow_v2", "objects": OBJECTS}


def read_files(folder: Path, files: dict[str, bytes], pattern: str = "") -> Records:
    path = folder / "flows.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return read_with("attack_flow", {"flows": (path, pattern)})


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_steps_follow_the_arrows(tmp_path: Path) -> None:
    records = read_files(tmp_path, {"corpus/Pie Fight (1).afb": as_json(DOCUMENT), "corpus/readme.txt": b"x"})
    (entity,) = records.entities
    assert (entity.id, entity.type, entity.name, entity.text) == ("flow:pie-fight-1", "attack-flow", "Pie Fight", "Pies flew.")
    assert entity.published == "2031-01-02" and entity.fields["references"] == ["https://paper.example"]
    assert [(step["name"], step["technique"], step["tactic"]) for step in entity.fields["steps"]] == [
        ("Bake", "T9001.001", "TA9001"),
        ("Bow", "", ""),
        ("Throw", "T9002", "TA9002"),
        ("Smile", "AML.T9003", ""),
    ]
    assert entity.fields["next"] == [[0, 2], [2, 3]]
    assert {(link.relation, link.object, link.text) for link in records.links} == {
        ("uses", "attack:T9001.001", ""),
        ("uses", "attack:T9002", "The pie flies far."),
        ("uses", "atlas:AML.T9003", "x"),
        ("related-to", "cve:CVE-2031-90001", ""),
    }


def test_the_stix_layout_gives_the_same_steps(tmp_path: Path) -> None:
    objects = [
        {"type": "attack-flow", "id": "f", "name": "Pie Fight", "scope": "incident", "created": "2031-01-02T03:04"},
        {"type": "attack-action", "id": "b", "name": "Throw", "technique_id": "T9002", "tactic_id": "TA9002"},
        {"type": "attack-action", "id": "a", "name": "Bake", "technique_id": "T9001.001", "effect_refs": ["c"]},
        {"type": "attack-condition", "id": "c", "description": "Ready", "on_true_refs": ["b"], "on_false_refs": ["gone"]},
    ]
    records = read_files(tmp_path, {"pies.json": as_json({"type": "bundle", "objects": objects})}, pattern="*.json")
    (entity,) = records.entities
    assert [step["technique"] for step in entity.fields["steps"]] == ["T9001.001", "T9002"] and entity.fields["next"] == [[0, 1]]


def flow_of(edges: dict[str, list[str]], blocks: str, actions: str) -> Flow:
    return Flow(
        name="", description="", scope="", created="", sources=[], vulnerabilities=[], blocks=list(blocks), edges=edges,
        actions={name: Action("", "", name, "") for name in actions},
    )  # fmt: skip


def test_loops_end_and_begin_where_the_file_does() -> None:
    flow = flow_of({"a": ["b"], "b": ["x"], "x": ["a", "c"]}, "abcx", "abc")
    assert ordered_actions(flow) == ["a", "b", "c"]
    assert sorted(following_actions(flow, "b")) == ["a", "c"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=15))
def test_every_action_is_one_step_and_arrows_of_a_tree_are_kept(pairs: list[tuple[str, str]]) -> None:
    forward = {tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1]}  # no loops
    edges = {start: sorted(end for one, end in forward if one == start) for start, _ in forward}
    order = ordered_actions(flow_of(edges, "fedcba", "abcdef"))
    assert sorted(order) == list("abcdef")
    assert all(order.index(start) < order.index(end) for start, end in forward)


def test_hostile_members_are_refused_by_name_and_the_rest_read(tmp_path: Path) -> None:
    many = {"schema": "attack_flow_v2", "objects": [ABOUT, *(block("action", str(n)) for n in range(BLOCKS_LIMIT + 1))]}
    records = read_files(
        tmp_path,
        {
            "0.afb": as_json(DOCUMENT),
            **{f"broken-{n}.afb": content for n, content in enumerate(NO_DOCUMENTS)},
            "../up.afb": as_json(DOCUMENT),
            "schema.afb": as_json(DOCUMENT | {"schema": "attack_flow_v9"}),
            "two.afb": as_json(DOCUMENT | {"objects": [ABOUT, ABOUT]}),
            "empty.afb": as_json(DOCUMENT | {"objects": [ABOUT]}),
            "many.afb": as_json(many),
            "a/0.afb": as_json(DOCUMENT),
            "noise.afb": as_json(DOCUMENT | {"objects": [{"id": 7}]}),
        },
    )
    assert [entity.id for entity in records.entities] == ["flow:0"]
    assert Counter(reject.reason for reject in records.rejects) == {
        "broken-record": 6, "unsafe-path": 1, "no-flow": 2, "no-actions": 1, "oversized": 1, "duplicate-id": 1,
    }  # fmt: skip


def test_a_pair_whose_key_is_a_list(tmp_path: Path) -> None:
    odd = block("action", "odd", name="Odd", ttp=[[["technique"], "T9001"], [{}, 1], ["technique", "T9002"]])
    records = read_files(tmp_path, {"a.afb": as_json(DOCUMENT | {"objects": [ABOUT, odd]})})
    assert [link.object for link in records.links] == ["attack:T9002"]


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(number=st.integers(0, len(OBJECTS) - 1), data=st.data(), value=ANYTHING, how=st.sampled_from(["whole", "key", "property"]))
def test_any_json_in_an_objects_place_leaves_the_other_flows(
    tmp_path: Path, number: int, data: st.DataObject, value: Any, how: str
) -> None:
    old = OBJECTS[number]
    if how == "property" and old.get("properties"):
        chosen = data.draw(st.sampled_from([key for key, _ in old["properties"]]))
        changed: Any = old | {"properties": [(key, value if key == chosen else kept) for key, kept in old["properties"]]}
    else:
        changed = old | {data.draw(st.sampled_from(sorted(old))): value} if how == "key" else value
    objects = [*OBJECTS[:number], changed, *OBJECTS[number + 1 :]]
    records = read_files(tmp_path, {"1.afb": as_json(DOCUMENT | {"objects": objects}), "2.afb": as_json(DOCUMENT)})
    assert records.entities[-1].id == "flow:2" and len(records.entities) + len(records.rejects) == 2


@pytest.mark.mirror
def test_counts_of_the_corpus(mirror: Path) -> None:
    records = read_with("attack_flow", {"flows": mirror / "sources/attack-flow/attack-flow-corpus.tar.gz"})
    assert len(records.entities) == 40 and not records.rejects
    assert sum(len(entity.fields["steps"]) for entity in records.entities) == 934
    assert Counter(link.object.split(":")[0] for link in records.links) == {"attack": 791, "atlas": 18, "cve": 20}
