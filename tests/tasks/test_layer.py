"""Layers: every way is two links of the graph, in their own directions."""

from stages.tasks import layer
from tests.tasks.pieces import drafts, graph
from tests.tasks.small_graph import entity, link

ENTITIES = [
    *(entity(f"attack:G000{n}", "group", f"Gang {n}", "A gang.") for n in range(8)),
    *(entity(f"attack:S000{n}", "malware", f"Mouse {n}", "A mouse.") for n in range(2)),
    entity("attack:T1001", "technique", "Night Walk", "Someone walks at night."),
    entity("attack:M1001", "mitigation", "Fence", "Build a fence."),
]
LINKS = [
    link("attack:G0000", "uses", "attack:S0000"),
    link("attack:G0001", "uses", "attack:S0001"),
    link("attack:G0001", "uses", "attack:S0000"),
    link("attack:S0000", "uses", "attack:T1001"),
    link("attack:S0001", "uses", "attack:T1001"),
    link("attack:M1001", "mitigates", "attack:T1001"),
]


def test_ways_into_a_node_name_each_start_once_with_the_node_between() -> None:
    (draft,) = [one for one in drafts(layer.layer_to_node, graph(ENTITIES, LINKS)) if one.slots["layer"] == "groups"]
    assert draft.slots == {"node": "the technique Night Walk (T1001)", "layer": "groups", "middle": "malware"}
    lines = draft.answer.splitlines()
    assert len(lines) == 3 and {line[2:8] for line in lines[:2]} == {"Gang 0", "Gang 1"}
    for line in lines[:2]:
        start, middle = (part.split(" (")[1].strip(")") for part in line.split(", by way of "))
        assert link(f"attack:{start}", "uses", f"attack:{middle}") in LINKS
    assert "uses the technique Night Walk (T1001)." in lines[2]


def test_a_bridge_names_both_sides_and_says_when_there_are_more() -> None:
    links = [*LINKS, *(link(f"attack:G000{n}", "uses", "attack:T1001") for n in range(8))]
    (draft,) = [one for one in drafts(layer.layer_to_layer, graph(ENTITIES, links)) if one.slots == {
        "node": "the technique Night Walk (T1001)", "start": "groups", "end": "mitigations",
    }]  # fmt: skip
    groups, mitigations, chain = draft.answer.splitlines()
    assert groups.startswith("Groups, among others: ") and groups.count("Gang") == 5
    assert mitigations == "Mitigations: Fence (M1001)."
    assert chain.endswith("The mitigation Fence (M1001) limits the technique Night Walk (T1001).")


def test_one_way_is_no_layer() -> None:
    assert not [
        one for one in drafts(layer.layer_to_node, graph(ENTITIES, LINKS[:1] + LINKS[3:])) if one.slots["layer"] == "groups"
    ]
