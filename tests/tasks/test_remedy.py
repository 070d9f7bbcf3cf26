"""Chains to a remedy: every mitigation with the reason that the catalogue gives, and the one that fits the attack."""

from stages.tasks import remedy
from tests.tasks.pieces import drafts, graph, skips
from tests.tasks.small_graph import entity, link

PROCEDURE = "Gang one did a Night Walk through the museum with two lamps and one long rope."


def test_behaviour_leads_to_all_mitigations_with_their_reasons() -> None:
    entities = [
        entity("attack:T1001", "technique", "Night Walk", "Someone walks at night."),
        entity("attack:G0001", "group", "Gang one", "A gang."),
        entity("attack:M1001", "mitigation", "Fence", "Build one."),
        entity("attack:M1002", "mitigation", "Lamp", "Light one."),
    ]
    links = [
        link("attack:G0001", "uses", "attack:T1001", PROCEDURE),
        link("attack:M1001", "mitigates", "attack:T1001", "A fence stops walkers."),
        link("attack:M1002", "mitigates", "attack:T1001", "A lamp makes walkers visible."),
    ]
    (draft,) = drafts(remedy.procedure_mitigation_path, graph(entities, links))
    assert draft.key == ["M1001", "M1002"] and "Night Walk" not in draft.slots["text"]
    assert draft.answer.splitlines() == [
        "1. What the group Gang one does here is Night Walk (T1001).",
        "2. Fence (M1001) limits it: A fence stops walkers.",
        "3. Lamp (M1002) limits it: A lamp makes walkers visible.",
    ]
    links[2] = link("attack:M1002", "mitigates", "attack:T1001")
    assert skips(remedy.procedure_mitigation_path, graph(entities, links)) == {"attack:T1001": "no-text"}


def test_the_remedy_that_meets_the_attack_comes_from_a_specific_weakness() -> None:
    pattern = entity(
        "capec:CAPEC-1",
        "attack-pattern",
        "Trick",
        "A visitor of the museum climbs through the window of the cellar and waits for dark.",
    )
    ways = [
        {"phases": ["Operation"], "description": "Paint the walls."},
        {"phases": ["Operation"], "description": "Bar every window of the cellar."},
    ]
    narrow = [
        entity(f"cwe:CWE-{n}", "weakness", f"Flaw {n}", "A window is open.", mitigations=ways, abstraction="Base") for n in (8, 9)
    ]
    broad = entity("cwe:CWE-2", "weakness", "Flaw 2", "All is open.", mitigations=ways, abstraction="Pillar")
    links = [link("capec:CAPEC-1", "exploits", f"cwe:CWE-{n}") for n in (2, 8, 9)]
    (draft,) = drafts(remedy.pattern_remedy_path, graph([pattern, broad, *narrow], links))
    assert draft.quoted == ["cwe:CWE-8", "cwe:CWE-9"]
    assert draft.answer.splitlines()[:3] == [
        "1. The pattern is Trick (CAPEC-1).",
        "2. It relies on Flaw 8 (CWE-8): A window is open.",
        "3. Against that weakness: Operation: Bar every window of the cellar.",
    ]
    (draft,) = drafts(remedy.pattern_remedy_path, graph([pattern, broad, *narrow], links, cwe__CWE_8="heldout"))
    assert "cwe:CWE-8" not in draft.quoted
