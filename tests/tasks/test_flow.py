"""Order of an incident, its next step, and sentences of reports."""

from stages.tasks.flow import flow_next, flow_order, sentence_technique
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

DEEDS = (
    "sent a letter with a paper knife",
    "opened the letter box",
    "copied the house key",
    "carried the silver away",
    "sold it",
)


def graph(**fields: object):
    steps = [
        {"technique": f"attack:T100{place}", "name": f"Step {place}", "text": f"The thief {deed}."}
        for place, deed in enumerate(DEEDS)
    ]
    entities = [entity("flow:silver", "attack-flow", "Silver Theft", **{"steps": steps, **fields})]
    entities += [entity(f"attack:T100{place}", "technique", f"Trick {place}") for place in range(9)]
    entities += [
        entity("tram:1", "report-sentence", "Report", "The thief used Trick 3 to carry the silver out of the house by night.")
    ]
    return known(entities, [link("tram:1", "describes", "attack:T1003")])


def test_the_key_spells_the_order_of_the_steps() -> None:
    (draft,) = drafts(flow_order, graph())
    shown = dict(line.split(") ", 1) for line in draft.slots["text"].splitlines())
    assert [shown[letter] for letter in draft.key[0]] == [f"The thief {deed}." for deed in DEEDS[:4]]


def test_steps_that_read_alike_have_no_order() -> None:
    same = [{"technique": f"attack:T100{place}", "text": "The thief waited."} for place in range(4)]
    assert skips(flow_order, graph(steps=same)) == {"flow:silver": "same-text"}


def test_the_next_step_is_asked_of_its_technique_and_no_other_step_is_an_option() -> None:
    made = drafts(flow_next, graph())
    assert [draft.subject for draft in made] == ["attack:T1002", "attack:T1003", "attack:T1004"]
    assert all(draft.quoted == ["flow:silver"] for draft in made)
    assert {f"trick {place}" for place in range(5)} - {"trick 2"} <= made[0].ask.barred
    assert made[0].slots["text"].startswith("1. The thief sent a letter")


def test_a_step_that_repeats_the_one_before_or_is_all_hidden_is_no_clue() -> None:
    said = ["The thief waited by the door.", "Trick 3", "The thief waited by the door."]
    steps = [{"technique": f"attack:T100{place + 1}", "text": text} for place, text in enumerate(said)]
    assert skips(flow_next, graph(steps=steps)) == {"attack:T1003": "same-text"}
    steps[2] = {"technique": "attack:T1003", "text": "The thief took the silver."}
    assert skips(flow_next, graph(steps=steps)) == {"attack:T1003": "names-the-answer"}


def test_broken_steps_are_passed_over() -> None:
    assert drafts(flow_next, graph(steps=["no step", {"technique": 7}, {"text": None}])) == []


def test_a_sentence_does_not_name_its_technique() -> None:
    (draft,) = drafts(sentence_technique, graph())
    assert draft.key == ["T1003"] and "Trick 3" not in draft.slots["text"]
