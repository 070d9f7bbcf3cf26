"""Techniques judged by text and by hierarchy."""

from msgspec.structs import replace

from stages.knowledge import Knowledge
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.technique import subtechnique_verdict, technique_verdict
from tests.tasks.attack_graph import attack_knowledge, attack_tables

P = TasksParams()


def test_the_wrong_name_is_no_relative() -> None:
    knowledge = attack_knowledge()
    names = {one.name: one.id for one in knowledge.techniques()}
    made = [one for one in technique_verdict(knowledge, P) if isinstance(one, Draft)]
    assert {one.verdict for one in made} == {True, False}
    for draft in made:
        assert draft.verdict or names[draft.slots["name"]] not in knowledge.family(draft.subject)


def test_a_kind_is_asked_with_its_parent_and_with_another_one() -> None:
    knowledge = attack_knowledge()
    made = [one for one in subtechnique_verdict(knowledge, P) if isinstance(one, Draft)]
    assert len(made) == 8
    for draft in made:
        parents = {one.name for one in knowledge.objects(draft.subject, "subtechnique-of")}
        assert draft.verdict == (draft.slots["parent"] in parents)


def test_names_that_share_a_word_tell_the_answer() -> None:
    tables = attack_tables()
    tables["entities"] = [
        replace(one, name="Prying with a Bar") if one.id == "attack:T1000.001" else one for one in tables["entities"]
    ]
    assert Skip("attack:T1000.001", "names-the-answer") in list(subtechnique_verdict(Knowledge(**tables), P))
