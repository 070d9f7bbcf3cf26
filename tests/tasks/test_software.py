"""Programs: profiles joined from links, malware and tools apart, one technique for one goal."""

from msgspec.structs import replace

from stages.knowledge import Knowledge
from stages.tasks.balance import choose
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.software import (
    software_choice,
    software_description,
    software_goal_choice,
    software_identification,
    software_kind,
    software_verdict,
)
from tests.tasks.attack_graph import PROGRAMS, attack_knowledge, attack_tables

P = TasksParams()


def test_a_profile_joins_text_platform_and_techniques() -> None:
    draft = next(iter(software_description(attack_knowledge(), P)))
    assert draft.answer.splitlines()[1] == "It runs on Windows."
    assert "Window Prying (T1000)" in draft.answer.splitlines()[2]


def test_an_answer_stays_within_its_words_with_the_facts() -> None:
    for draft in software_description(attack_knowledge(), TasksParams(max_answer_words=50)):
        assert isinstance(draft, Skip) or len(draft.answer.split()) <= 50


def test_a_program_is_identified_with_its_kind() -> None:
    kinds = {draft.subject: draft.answer for draft in software_identification(attack_knowledge(), P)}
    assert kinds["attack:S0000"] == "Software: Crowbar, malware" and kinds["attack:S0001"] == "Software: Limpet, a tool"


def test_no_question_holds_the_name_that_it_asks_for() -> None:
    knowledge = attack_knowledge()
    made = [*software_choice(knowledge, P), *software_identification(knowledge, P), *software_verdict(knowledge, P)]
    for draft in made:
        assert isinstance(draft, Draft) and knowledge.entities[draft.subject].name not in draft.slots["text"]


def test_the_words_malware_and_tool_do_not_tell_the_kind() -> None:
    for draft in software_kind(attack_knowledge(), P):
        assert "tool" not in draft.slots["text"] and "is a program that helps" in draft.slots["text"]
        assert draft.verdict == (draft.subject in ("attack:S0000", "attack:S0002"))


def test_only_the_right_technique_serves_the_goal() -> None:
    knowledge = attack_knowledge()
    names = {one.name: one.id for one in knowledge.techniques()}
    drafts = choose("x", [one for one in software_goal_choice(knowledge, P) if isinstance(one, Draft)], 9, 0)
    assert len(drafts) == len(PROGRAMS)
    for draft in drafts:
        serving = {one.id for one in knowledge.techniques() if any(
            goal.name == draft.slots["tactic"] for goal in knowledge.objects(one.id, "achieves"))}  # fmt: skip
        assert [names[option] in serving for option in draft.options] == [True, False, False, False]
        assert names[draft.options[0]] in {one.id for one in knowledge.objects(draft.subject, "uses", "technique")}


def test_malware_is_called_a_program_like_any_other() -> None:
    tables = attack_tables()
    tables["entities"] = [
        replace(one, text=one.text.replace("is a tool", "is malware")) if one.type == "malware" else one
        for one in tables["entities"]
    ]
    assert len([one for one in software_kind(Knowledge(**tables), P) if "is a program that helps" in one.slots["text"]]) == 4
