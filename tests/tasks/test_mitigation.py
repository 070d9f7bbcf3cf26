"""Safeguards by their own texts; of held-out techniques nothing is told."""

from stages.tasks.draft import Draft
from stages.tasks.mitigation import (
    mitigation_description,
    mitigation_identification,
    mitigation_name_choice,
    mitigation_text_verdict,
)
from stages.tasks.params import TasksParams
from tests.tasks.attack_graph import attack_knowledge

P = TasksParams()


def test_a_safeguard_is_described_with_the_goals_that_it_stands_against() -> None:
    draft = next(iter(mitigation_description(attack_knowledge(), P)))
    assert draft.answer.endswith("It is listed mostly against techniques of Entry, such as Window Prying (T1000).")


def test_the_link_to_a_heldout_technique_is_not_told() -> None:
    draft = next(iter(mitigation_description(attack_knowledge(attack_T1000=True), P)))
    assert "T1000" not in draft.answer and "Entry" not in draft.answer


def test_safeguards_of_other_matrices_are_left_to_their_own_family() -> None:
    knowledge = attack_knowledge()
    for make in (mitigation_description, mitigation_identification, mitigation_name_choice, mitigation_text_verdict):
        drafts = [one for one in make(knowledge, P) if isinstance(one, Draft)]
        assert {draft.subject for draft in drafts} == {f"attack:M100{place}" for place in range(4)}, make
