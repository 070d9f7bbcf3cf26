"""Sections of an attack pattern: what each answer takes from the entry, and what it leaves out."""

from stages.tasks import capec_entry
from tests.tasks.pieces import drafts, graph, skips
from tests.tasks.small_graph import entity, link

STEPS = [
    {"step": 1, "phase": "Explore", "name": "Look around", "description": "The thief walks past every door of the museum.", "techniques": ["crowbar of size 4"]},
    {"step": 2, "phase": "Exploit", "name": "", "description": "Enter <script>open()</script> at the till."},
    {"step": 3, "phase": "Exploit", "name": "Leave", "description": "The thief leaves by the window of the cellar."},
]  # fmt: skip


def pattern(number: int, name: str, **fields: object):
    return entity(f"capec:CAPEC-{number}", "attack-pattern", name, f"A thief tries {name} in a museum at night.", **fields)


def test_the_course_names_phases_and_neither_techniques_nor_payloads() -> None:
    (draft,) = drafts(capec_entry.pattern_execution_flow, graph([pattern(1, "Door Trick", execution_flow=STEPS)]))
    assert draft.answer.splitlines() == [
        "- Explore - Look around: The thief walks past every door of the museum.",
        "- Exploit - Leave: The thief leaves by the window of the cellar.",
    ]
    assert draft.slots == {"name": "Door Trick", "id": "CAPEC-1"} and draft.documents == ["capec:CAPEC-1"]


def test_one_step_is_no_course() -> None:
    assert skips(capec_entry.pattern_execution_flow, graph([pattern(1, "Door Trick", execution_flow=STEPS[:1])])) == {
        "capec:CAPEC-1": "no-field"
    }


def test_an_example_with_a_payload_is_counted_and_left_out() -> None:
    knowledge = graph(
        [
            pattern(1, "One", example="A clerk opened the door for a stranger. See also: CVE-1999-0001. The stranger stayed."),
            pattern(2, "Two", example="The stranger typed ' OR 1=1 into the book of guests."),
        ]
    )
    (draft,) = drafts(capec_entry.pattern_example, knowledge)
    assert draft.answer == "A clerk opened the door for a stranger. The stranger stayed."
    assert skips(capec_entry.pattern_example, knowledge) == {"capec:CAPEC-2": "offensive-content"}


def test_skills_and_resources_come_item_by_item() -> None:
    knowledge = graph(
        [pattern(1, "One", skills=[{"level": "Low", "description": "Can walk."}, {"description": "Can wait."}, "odd"], resources=["A coat.", "A map."])]
    )  # fmt: skip
    assert drafts(capec_entry.pattern_skills, knowledge)[0].answer == "- Low skill: Can walk.\n- Unrated skill: Can wait."
    assert drafts(capec_entry.pattern_resources, knowledge)[0].answer == "- A coat.\n- A map."


def test_a_pattern_shows_what_its_technique_shows_unless_that_is_held_out() -> None:
    entities = [
        pattern(1, "One", indicators=["The floor creaks."]),
        entity("attack:T1001", "technique", "Night Walk", "Someone walks at night."),
        entity("attack:T1002", "technique", "Day Walk", "Someone walks by day."),
        entity("attack:DET1", "detection-strategy", "Hear it", "A microphone hears steps in the hall."),
        entity("attack:DET2", "detection-strategy", "See it", "A camera sees someone at noon."),
    ]
    links = [
        link("attack:T1001", "corresponds-to", "capec:CAPEC-1"),
        link("attack:T1002", "corresponds-to", "capec:CAPEC-1"),
        link("attack:DET1", "detects", "attack:T1001"),
        link("attack:DET2", "detects", "attack:T1002"),
    ]
    (draft,) = drafts(capec_entry.pattern_indicators, graph(entities, links, attack__T1002="heldout"))
    assert draft.answer == "- The floor creaks.\n- As Night Walk (T1001): A microphone hears steps in the hall."


def test_neighbours_are_told_by_kind_and_direction() -> None:
    entities = [pattern(number, name) for number, name in ((1, "Mid"), (2, "Top"), (3, "Low"), (4, "Next"), (5, "Peer"))]
    links = [
        link("capec:CAPEC-1", "child-of", "capec:CAPEC-2"),
        link("capec:CAPEC-3", "child-of", "capec:CAPEC-1"),
        link("capec:CAPEC-1", "can-precede", "capec:CAPEC-4"),
        link("capec:CAPEC-5", "related-to", "capec:CAPEC-1"),
    ]
    found = {one.subject: one.answer.splitlines()[1:] for one in drafts(capec_entry.pattern_relations, graph(entities, links))}
    assert found["capec:CAPEC-1"] == [
        "- Broader: Top (CAPEC-2).",
        "- More specific: Low (CAPEC-3).",
        "- Can lead to: Next (CAPEC-4).",
        "- Related: Peer (CAPEC-5).",
    ]
    assert found["capec:CAPEC-4"] == ["- Can follow on: Mid (CAPEC-1)."]


def test_other_catalogues_both_ways() -> None:
    entry = {"taxonomy": "WASC", "id": "09", "name": "Museum Visit"}
    entities = [
        pattern(1, "One", taxonomies=[entry, {"taxonomy": "ATT&CK", "id": "1001", "name": "Night Walk"}]),
        pattern(2, "Two", taxonomies=[entry]),
    ]
    entities.append(entity("attack:T1001", "technique", "Night Walk", "Someone walks at night."))
    knowledge = graph(entities, [link("attack:T1001", "corresponds-to", "capec:CAPEC-1")])
    there = {one.subject: one.answer for one in drafts(capec_entry.pattern_taxonomy, knowledge)}
    assert there["capec:CAPEC-1"].splitlines()[1:] == ["- MITRE ATT&CK: Night Walk (T1001)", "- WASC: Museum Visit (09)"]
    (back,) = drafts(capec_entry.taxonomy_pattern, knowledge)
    assert set(back.key) == {"CAPEC-1", "CAPEC-2"} and back.slots == {"catalogue": "WASC", "entry": "Museum Visit (09)"}
    assert {back.subject, *back.quoted} == {"capec:CAPEC-1", "capec:CAPEC-2"}


def test_a_summary_needs_a_defence_and_names_weaknesses_by_links() -> None:
    full = {"severity": "High", "abstraction": "Detailed", "prerequisites": "A door is open.", "mitigations": "Close the door."}
    entities = [pattern(1, "One", cwe=["CWE-99"], **full), pattern(2, "Two", prerequisites="A door.")]
    entities.append(entity("cwe:CWE-7", "weakness", "Open Door", "The door stays open."))
    knowledge = graph(entities, [link("capec:CAPEC-1", "exploits", "cwe:CWE-7")])
    (draft,) = drafts(capec_entry.pattern_summary, knowledge)
    assert draft.answer == (
        "One (CAPEC-1) is a detailed attack pattern of high severity. A thief tries One in a museum at night. "
        "It works only where this holds: A door is open. It relies on Open Door (CWE-7). A first line of defence: Close the door."
    )
