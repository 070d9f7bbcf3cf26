"""Attacks on AI systems: names of sub-techniques with their parents, ids nowhere in a question."""

from stages.tasks.atlas import (
    ai_counterpart,
    ai_mitigation_choice,
    ai_tactic_choice,
    ai_technique_identification,
    incident_technique,
)
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

TEXT = "Adversaries may write an order into a document that a language model reads later and obeys as if its owner spoke, case"


def graph():
    entities = [entity(f"atlas:AML.T000{place}", "ai-technique", f"Trick {place}", f"{TEXT} {place}.") for place in range(5)]
    entities += [entity("atlas:AML.T0000.000", "ai-technique", "Direct", f"{TEXT} 9.")]
    entities += [entity(f"atlas:AML.M000{place}", "ai-mitigation", f"Guard {place}") for place in range(5)]
    entities += [entity(f"atlas:AML.TA000{place}", "ai-tactic", f"Goal {place}") for place in range(5)]
    entities += [entity("atlas:AML.CS0000", "case-study", "Letter Case"), entity("attack:T1566", "technique", "Phishing")]
    links = [link("atlas:AML.T0000.000", "subtechnique-of", "atlas:AML.T0000")]
    links += [link(f"atlas:AML.M000{place}", "mitigates", f"atlas:AML.T000{place}") for place in range(5)]
    links += [link(f"atlas:AML.T000{place}", "achieves", f"atlas:AML.TA000{place}") for place in range(5)]
    links += [link("atlas:AML.T0001", "corresponds-to", "attack:T1566")]
    step = "The team hid an order (AML.T0000.000) in a letter that the assistant reads for its owner every single morning."
    links += [link("atlas:AML.CS0000", "uses", "atlas:AML.T0000.000", step)]
    return known(entities, links)


def test_a_sub_technique_is_named_with_its_parent() -> None:
    made = {draft.subject: draft for draft in drafts(ai_technique_identification, graph())}
    assert made["atlas:AML.T0000.000"].answer == "AI technique: Trick 0: Direct"
    assert made["atlas:AML.T0000.000"].key == ["AML.T0000.000"]


def test_goals_and_guards_are_those_of_the_technique() -> None:
    assert [draft.options[0] for draft in drafts(ai_tactic_choice, graph())] == [f"Goal {place}" for place in range(5)]
    assert [draft.options[0] for draft in drafts(ai_mitigation_choice, graph())] == [f"Guard {place}" for place in range(5)]


def test_the_counterpart_is_an_attack_id() -> None:
    assert [draft.key for draft in drafts(ai_counterpart, graph())] == [["T1566"]]


def test_a_case_named_after_the_technique_is_cited_by_its_number_and_tables_are_no_steps() -> None:
    entities = [
        entity("atlas:AML.T0001", "ai-technique", "Letter Injection", f"{TEXT} 1."),
        entity("atlas:AML.CS1", "case-study", "Letters"),
    ]
    step = "The team hid an order in a document that the assistant reads for its owner every single morning"
    links = [link("atlas:AML.CS1", "uses", "atlas:AML.T0001", f"{step}.")]
    (draft,) = drafts(incident_technique, known(entities, links))
    assert draft.slots["name"] == "AML.CS1"
    table = [link("atlas:AML.CS1", "uses", "atlas:AML.T0001", f"{step}: | Way | Count | | - | - | | Blur | 23 |")]
    assert skips(incident_technique, known(entities, table)) == {"atlas:AML.CS1": "no-text"}


def test_a_step_of_an_incident_hides_its_id() -> None:
    (draft,) = drafts(incident_technique, graph())
    assert draft.key == ["AML.T0000.000"] and "AML" not in draft.slots["text"]
    assert draft.answer.startswith("The step is Trick 0: Direct. Adversaries may")
