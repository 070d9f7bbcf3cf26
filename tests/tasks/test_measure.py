"""Stopping and showing are told apart: both measures are meant for the technique, the part decides."""

from stages.tasks import measure
from stages.tasks.balance import choose
from tests.tasks.pieces import drafts, graph, skips
from tests.tasks.small_graph import entity, link

ENTITIES = [
    entity("attack:T1001", "technique", "Night Walk", "Someone walks at night."),
    entity("attack:T1002", "technique", "Day Walk", "Someone walks by day."),
    entity("attack:M1001", "mitigation", "Fence", "Build a fence."),
    entity("attack:DC0001", "data-component", "Footprint", "A mark that a shoe leaves in the ground."),
    entity("d3fend:D3-DOG", "defensive-technique", "Dog", "A dog that barks.", tactic="Detect"),
    entity("d3fend:D3-MAP", "defensive-technique", "Map", "A map of the garden.", tactic="Model"),
]
LINKS = [
    link("attack:M1001", "mitigates", "attack:T1001", "A fence keeps walkers out of the garden at night."),
    *(link(one, "detects", "attack:T1001") for one in ("attack:DC0001",)),
    link("d3fend:D3-DOG", "counters", "attack:T1001"),
    link("d3fend:D3-MAP", "counters", "attack:T1001"),
]


def test_the_part_follows_from_the_relation_or_the_tactic() -> None:
    told = {one.slots["measure"]: one.answer for one in drafts(measure.measure_role, graph(ENTITIES, LINKS))}
    assert set(told) == {"Fence", "Footprint", "Dog"}  # a model neither stops nor shows anything
    assert told["Fence"].startswith("Fence (M1001) prevents Night Walk (T1001)") and told["Fence"].endswith("at night.")
    assert told["Dog"].startswith("Dog (D3-DOG) detects Night Walk (T1001): it takes effect while or after")


def test_every_measure_is_quoted_even_one_whose_own_words_on_the_pair_are_too_long() -> None:
    long = [link("attack:M1001", "mitigates", "attack:T1001", " ".join(["fence"] * 80))]
    quoted = {one.slots["measure"]: one.quoted for one in drafts(measure.measure_role, graph(ENTITIES, [*long, *LINKS[1:]]))}
    assert quoted == {"Fence": ["attack:M1001"], "Footprint": ["attack:DC0001"], "Dog": ["d3fend:D3-DOG"]}


def test_yes_and_no_for_both_parts_of_both_measures() -> None:
    knowledge = graph(ENTITIES, LINKS)
    found = {(one.slots["measure"], one.slots["part"]): one.verdict for one in drafts(measure.measure_role_verdict, knowledge)}
    assert found == {
        ("Fence", "prevent"): True, ("Fence", "detect"): False, ("Footprint", "detect"): True, ("Footprint", "prevent"): False,
    }  # fmt: skip
    assert skips(measure.measure_role_verdict, knowledge) == {"attack:T1002": "no-link"}
    assert len(choose("measure-role-verdict", drafts(measure.measure_role_verdict, knowledge), 10, 0)) <= 1
