"""Reports of what was done: judged, chosen, grouped and followed to goal and platform."""

from stages.tasks.balance import choose
from stages.tasks.draft import Draft
from stages.tasks.params import TasksParams
from stages.tasks.procedure import (
    procedure_choice,
    procedure_odd_one_out,
    procedure_platform_path,
    procedure_platform_verdict,
    procedure_tactic_verdict,
    procedure_verdict,
)
from tests.tasks.attack_graph import attack_knowledge

P = TasksParams()


def drafts_of(make) -> list[Draft]:
    found = [one for one in make(attack_knowledge(), P) if isinstance(one, Draft)]
    assert found, make
    return found


def goals(knowledge, technique: str) -> set[str]:
    return {one.name for one in knowledge.objects(technique, "achieves")}


def test_a_wrong_technique_shares_neither_goal_nor_actor_with_the_report() -> None:
    knowledge = attack_knowledge()
    names = {one.name: one.id for one in knowledge.techniques()}
    for draft in drafts_of(procedure_verdict):
        named = names[draft.slots["name"]]
        assert draft.verdict == (named == draft.subject)
        if not draft.verdict:
            assert not goals(knowledge, named) & goals(knowledge, draft.subject)
            assert named not in {link.object for link in knowledge.links_from(draft.quoted[0], "uses")}


def test_of_four_reports_one_shows_the_technique() -> None:
    knowledge = attack_knowledge()
    drafts = choose("procedure-choice", drafts_of(procedure_choice), 99, 0)
    assert drafts
    for draft in drafts:
        owners = [draft.ids[option] for option in draft.options]
        shares = [bool(goals(knowledge, one) & goals(knowledge, draft.subject)) for one in owners]
        assert owners[0] == draft.subject and shares == [True, False, False, False]


def test_three_reports_of_one_technique_leave_the_fourth() -> None:
    knowledge = attack_knowledge()
    for draft in drafts_of(procedure_odd_one_out):
        assert len(set(draft.options)) == 4 and not draft.slots
        assert not goals(knowledge, draft.subject) & goals(knowledge, draft.entities[0])


def test_a_goal_is_judged_over_the_technique() -> None:
    knowledge = attack_knowledge()
    for draft in drafts_of(procedure_tactic_verdict):
        assert draft.verdict == (draft.slots["tactic"] in goals(knowledge, draft.subject))
        assert len(draft.answer.splitlines()) == 3


def test_a_platform_is_judged_over_the_technique() -> None:
    knowledge = attack_knowledge()
    for draft in drafts_of(procedure_platform_verdict):
        assert draft.verdict == (draft.slots["platform"] in knowledge.entities[draft.subject].fields["platforms"])


def test_the_chain_ends_at_the_one_platform_of_the_technique() -> None:
    knowledge = attack_knowledge()
    drafts = choose("procedure-platform-path", drafts_of(procedure_platform_path), 99, 0)
    assert drafts
    for draft in drafts:
        own = knowledge.entities[draft.subject].fields["platforms"]
        assert [option in own for option in draft.options] == [True, False, False, False]
        assert draft.answer.endswith(f"only {draft.options[0]} is among these.")


def test_reports_of_heldout_actors_are_not_quoted() -> None:
    for make in (procedure_verdict, procedure_choice, procedure_odd_one_out, procedure_tactic_verdict):
        knowledge = attack_knowledge(attack_G0000=True)
        for draft in make(knowledge, P):
            assert "Grey Heron" not in " ".join([*getattr(draft, "slots", {}).values(), *getattr(draft, "options", [])])
