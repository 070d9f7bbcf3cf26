"""The defender's side of ATT&CK: what a held-out document says, of itself or of a pair, is told nowhere."""

from stages.tasks.assemble import build_rows
from stages.tasks.capec_entry import pattern_indicators
from stages.tasks.catalogue import load_catalogue
from stages.tasks.defence import mitigation_explanation, technique_detection, technique_mitigations
from stages.tasks.params import TasksParams
from stages.tasks.remedy import procedure_mitigation_path
from tests.tasks.drafted import drafts, known
from tests.tasks.small_graph import entity, link

WATCH = "Watch every hinge of the house and call the owner when one of them moves at night."
REASON = "A bar across the door keeps it shut even if the lock has been picked by somebody."


def graph(*heldout: str):
    analytics = [{"id": "AN0001", "text": WATCH}]
    entities = [
        entity("attack:T1001", "technique", "Door Opening", "Someone opens the door."),
        entity("attack:DET0001", "detection-strategy", "Hinges", WATCH, analytics=analytics),
        entity("attack:AN0001", "analytic", "Hinge Analytic", WATCH),
        entity("attack:DC0001", "data-component", "Hinge Log", "A record of each hinge that moved."),
        entity("attack:M1001", "mitigation", "Bar", "Put a bar across the door."),
        entity("attack:M1002", "mitigation", "Dog", "Keep a dog in the house."),
        entity("attack:G0001", "group", "Night Team"),
        entity("capec:CAPEC-1", "attack-pattern", "Opening", "Somebody opens what is shut."),
    ]
    links = [
        link("attack:DET0001", "detects", "attack:T1001"),
        link("attack:DC0001", "detects", "attack:T1001"),
        link("attack:M1001", "mitigates", "attack:T1001", REASON),
        link("attack:M1002", "mitigates", "attack:T1001", "A dog in the hall wakes everybody as soon as the door moves."),
        link("attack:G0001", "uses", "attack:T1001", "Night Team has opened back doors of shops with a bent wire for years."),
        link("attack:T1001", "corresponds-to", "capec:CAPEC-1"),
    ]
    return known(entities, links, heldout)


def test_the_strategy_that_is_told_is_quoted() -> None:
    (draft,) = drafts(technique_detection, graph())
    assert WATCH in draft.answer and draft.quoted == ["attack:DET0001"]
    assert draft.entities == ["attack:DC0001"]


def test_nothing_is_told_of_a_heldout_strategy_or_analytic() -> None:
    for heldout in ("attack:DET0001", "attack:AN0001"):
        (draft,) = drafts(technique_detection, graph(heldout))
        assert draft.answer == "Data components to collect:\n- Hinge Log" and draft.quoted == []
        assert drafts(pattern_indicators, graph(heldout)) == []
    assert WATCH in drafts(pattern_indicators, graph())[0].answer


def test_a_heldout_mitigation_is_named_where_it_is_a_key_but_its_reason_is_not_told() -> None:
    knowledge = graph("attack:M1001")
    assert drafts(technique_mitigations, knowledge)[0].quoted == ["attack:M1002"]
    (draft,) = drafts(procedure_mitigation_path, knowledge)
    assert draft.key == ["M1001", "M1002"] and "2. Bar (M1001) limits it.\n3. Dog (M1002) limits it: A dog" in draft.answer
    tasks = [one for one in load_catalogue() if one.family in ("attack", "path", "graph", "capec")]
    rows, _, _ = build_rows(knowledge, tasks, TasksParams())
    assert rows and not [row.task for row in rows if REASON in row.instruction + row.answer]


def test_explanations_come_from_open_mitigations_only() -> None:
    assert drafts(mitigation_explanation, graph("attack:M1001", "attack:M1002")) == []
