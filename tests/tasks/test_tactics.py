"""Goals: told by their texts, inferred from acts, completed from like techniques."""

from msgspec.structs import replace

from stages.knowledge import Knowledge
from stages.tasks.balance import choose
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.tactics import (
    tactic_choice,
    tactic_completion,
    tactic_description,
    tactic_identification,
    tactic_text_verdict,
)
from tests.tasks.attack_graph import GOALS, attack_knowledge, attack_tables
from tests.tasks.small_graph import entity, link

P = TasksParams(max_answer_words=170)


def test_a_goal_is_described_and_found_again() -> None:
    knowledge = attack_knowledge()
    assert [draft.slots["name"] for draft in tactic_description(knowledge, P)] == list(GOALS)
    for draft in tactic_identification(knowledge, P):
        assert draft.key == [draft.subject.split(":")[1]] and knowledge.entities[draft.subject].name not in draft.slots["text"]
    assert {draft.verdict for draft in tactic_text_verdict(knowledge, P)} == {True, False}


def test_the_act_is_shown_and_its_goal_asked_for() -> None:
    knowledge = attack_knowledge()
    drafts = choose("tactic-choice", [one for one in tactic_choice(knowledge, P) if isinstance(one, Draft)], 99, 0)
    assert drafts
    for draft in drafts:
        goals = {one.name for one in knowledge.objects(draft.subject, "achieves")}
        assert [option in goals for option in draft.options] == [True, False, False, False]
        assert not any(goal in draft.slots["text"] for goal in goals)


def test_an_act_that_names_its_goal_is_no_question() -> None:
    tables = attack_tables()
    tables["entities"] = [
        replace(one, text=f"{one.text} That is called entry.") if one.id == "attack:T1000" else one for one in tables["entities"]
    ]
    assert Skip("attack:T1000", "names-the-answer") in list(tactic_choice(Knowledge(**tables), P))


def test_two_others_of_a_goal_are_no_group() -> None:
    assert all(isinstance(one, Skip) for one in tactic_completion(attack_knowledge(), P))


def test_the_right_completion_shares_the_goal_and_the_wrong_ones_do_not() -> None:
    tables = attack_tables()
    for goal in range(4):
        for place in range(5):
            one = f"attack:T2{goal}0{place}"
            tables["entities"].append(entity(one, "technique", f"Act {goal} of {place}", "A text.", platforms=["Linux"]))
            tables["links"].append(link(one, "achieves", f"attack:TA000{goal}"))
    knowledge = Knowledge(**tables)
    drafts = choose("tactic-completion", [one for one in tactic_completion(knowledge, P) if isinstance(one, Draft)], 99, 0)
    names = {one.name: one.id for one in knowledge.techniques()}
    assert drafts
    for draft in drafts:
        goals = {link.object for link in knowledge.links_from(draft.subject, "achieves")}
        shares = [
            bool({link.object for link in knowledge.links_from(names[option], "achieves")} & goals) for option in draft.options
        ]
        assert shares == [True, False, False, False]
        assert knowledge.entities[draft.subject].name not in draft.slots["techniques"]
