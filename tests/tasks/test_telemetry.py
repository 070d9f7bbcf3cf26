"""Data components: what they are, and which one to collect where."""

import pytest
from msgspec.structs import replace

from stages.knowledge import Knowledge
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.telemetry import (
    component_description,
    component_identification,
    component_layer_choice,
    component_name_choice,
    component_platform_choice,
    component_verdict,
    layer_of,
)
from tests.tasks.attack_graph import attack_knowledge, attack_tables

P = TasksParams()


def test_a_record_is_described_with_its_sources_and_without_the_shopping_list() -> None:
    draft = next(iter(component_description(attack_knowledge(), P)))
    assert draft.answer.endswith("Log sources that carry it:\n- WinEventLog:Odd (id=0)")
    assert "buy a log" not in draft.answer


def test_how_to_collect_is_no_part_of_a_question() -> None:
    knowledge = attack_knowledge()
    made = [*component_identification(knowledge, P), *component_name_choice(knowledge, P), *component_verdict(knowledge, P)]
    assert made and all(isinstance(one, Draft) and "buy a log" not in one.slots["text"] for one in made)


@pytest.mark.parametrize(
    ("source", "layer"),
    [
        ("WinEventLog:Security", ["host"]),
        ("nsm:flow", ["network"]),
        ("azure:audit", ["cloud"]),
        ("azure:signinlogs", ["identity"]),
        ("azurelike:audit", []),
        ("", []),
    ],
)
def test_the_longest_known_beginning_of_a_source_tells_its_layer(source: str, layer: list[str]) -> None:
    assert layer_of(source) == layer


def test_a_place_asks_for_what_its_analytic_reads() -> None:
    knowledge = attack_knowledge()
    made = {one.subject: one for one in component_platform_choice(knowledge, P) if isinstance(one, Draft)}
    draft = made["attack:T1000"]
    assert draft.slots["place"] == "Windows" and draft.options == ["Window Movement"]
    assert draft.answer == "To see Window Prying (T1000) on Windows, analytic AN0000 reads Window Movement, from NSM:Flow (id=0)."
    layered = {one.subject: one for one in component_layer_choice(knowledge, P) if isinstance(one, Draft)}
    assert layered["attack:T1000"].slots["place"] == "in the network"
    assert layered["attack:T1001"].slots["place"] == "on the host itself"


def test_a_technique_without_analytics_is_skipped() -> None:
    assert Skip("attack:T1100", "no-link") in list(component_platform_choice(attack_knowledge(), P))


def test_each_place_is_asked_with_what_is_read_there() -> None:
    tables = attack_tables()
    more = {"id": "AN9", "platforms": ["Plan 9"], "log_sources": [{"name": "NSM:Wire", "component": "Bag Transfer"}]}
    tables["entities"] = [
        replace(one, fields={"analytics": [*one.fields["analytics"], more]}) if one.id == "attack:DET0000" else one
        for one in tables["entities"]
    ]
    made = [one for one in component_platform_choice(Knowledge(**tables), P) if isinstance(one, Draft)]
    asked = {one.slots["place"]: one for one in made if one.subject == "attack:T1000"}
    assert asked["Windows"].options == ["Window Movement"] and asked["Plan 9"].options == ["Bag Transfer"]
    assert "window movement" not in asked["Plan 9"].ask.barred  # it never occurs on that platform
