"""Countermeasures are argued for through the artifact that a technique touches, and by their aim."""

from stages.tasks.d3fend import artifact_choice, defence_by_tactic, defence_chain
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

TEXT = "Adversaries write a small program into the start folder so that it runs again whenever the user logs on"
AIMS = ("Harden", "Detect", "Evict", "Isolate", "Detect", "Harden")


def graph():
    entities = [entity(f"attack:T100{place}", "technique", f"Trick {place}", f"{TEXT}, case {place}.") for place in range(5)]
    entities += [entity(f"d3fend:Artifact{place}", "digital-artifact", f"Artifact {place}") for place in range(5)]
    entities += [
        entity(f"d3fend:D3-M{place}", "defensive-technique", f"Measure {place}", f"A measure, number {place}.", tactic=aim)
        for place, aim in enumerate(AIMS)
    ]
    links = [link(f"attack:T100{place}", "affects", f"d3fend:Artifact{place}", "may-create") for place in range(5)]
    links += [link(f"d3fend:D3-M{place}", "acts-on", f"d3fend:Artifact{place % 5}", "analyzes") for place in range(6)]
    links += [link(f"d3fend:D3-M{place}", "counters", "attack:T1000") for place in (0, 1, 2)]
    return known(entities, links)


def test_the_artifact_is_told_with_its_verb() -> None:
    draft = drafts(artifact_choice, graph())[2]
    assert draft.options == ["Artifact 2"]
    assert draft.answer == "Trick 2 (T1002) may create the artifact Artifact 2."


def test_an_artifact_that_the_text_names_is_not_asked_for() -> None:
    named = [
        entity("attack:T9000", "technique", "Trick", f"{TEXT}, as Artifact 7 shows."),
        entity("d3fend:Artifact7", "digital-artifact", "Artifact 7"),
    ]
    assert drafts(artifact_choice, known(named, [link("attack:T9000", "affects", "d3fend:Artifact7")])) == []
    assert skips(artifact_choice, known(named, [link("attack:T9000", "affects", "d3fend:Artifact7")])) == {
        "attack:T9000": "names-the-answer"
    }


def test_a_chain_joins_technique_and_measures_at_the_artifact() -> None:
    draft = drafts(defence_chain, graph())[0]
    assert draft.answer.startswith("1. The technique may create Artifact 0; countermeasures there: Measure ")
    assert set(draft.entities) == {"d3fend:Artifact0", "d3fend:D3-M0", "d3fend:D3-M5"}


def test_of_measures_with_an_aim_only_the_one_that_also_counters_is_right() -> None:
    made = drafts(defence_by_tactic, graph())
    assert {draft.slots["aim"]: draft.options[0] for draft in made} == {"harden": "Measure 0", "detect": "Measure 1"}
    detect = next(draft for draft in made if draft.slots["aim"] == "detect")
    assert set(detect.options[1:]) == {"Measure 0", "Measure 2", "Measure 4"}
    assert "Measure 4 serves to detect but is not mapped" in detect.answer
