"""Shapes of questions about one link: names of the answers are hidden, wrong options come from the linked ones."""

from stages.tasks.linked import linked_choice, linked_keys, told, verb
from stages.tasks.params import TasksParams
from tests.tasks.drafted import known
from tests.tasks.small_graph import entity, link

TEXT = "The analytic looks for a process that hides a long archive in the folder of another user, as Careful Packing does."


def graph():
    entities = [entity(f"car:{place}", "analytic", f"Rule {place}", f"{TEXT} Variant number {place}.") for place in range(6)]
    entities += [entity(f"attack:T100{place}", "technique", name) for place, name in enumerate(NAMES)]
    return known(entities, [link(f"car:{place}", "detects", f"attack:T100{place}") for place in range(6)])


NAMES = ("Careful Packing", "Loud Walking", "Silent Talking", "Slow Running", "Quick Resting", "Wild Guessing")


def test_the_name_of_the_answer_is_hidden_and_thin_texts_are_none() -> None:
    knowledge = graph()
    shown = told(knowledge, TEXT, [knowledge.entities["attack:T1000"]], TasksParams())
    assert "Careful Packing" not in shown and "[...]" in shown
    assert told(knowledge, "Too short to tell.", [], TasksParams()) == ""


def test_a_choice_asks_for_what_is_linked_and_offers_what_others_are_linked_with() -> None:
    knowledge = graph()
    subjects = list(knowledge.of_type("analytic"))
    made = list(linked_choice(knowledge, TasksParams(), subjects, "detects", "technique", lambda one, right: right.name))
    assert [one.options[0] for one in made] == list(NAMES)
    assert set(made[0].ask.hard) <= set(NAMES) - {"Careful Packing"}


def test_keys_are_the_ids_of_everything_linked() -> None:
    knowledge = graph()
    made = list(linked_keys(knowledge, TasksParams(), knowledge.of_type("analytic"), "detects", "technique", "It finds"))
    assert made[1].key == ["T1001"] and made[1].answer == "It finds: Loud Walking."


def test_a_verb_is_said_in_words() -> None:
    assert verb(link("a", "affects", "b", "may-access"), "touches") == "may access"
    assert verb(link("a", "affects", "b"), "touches") == "touches"
