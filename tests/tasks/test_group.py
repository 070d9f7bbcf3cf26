"""Groups: profiles with aliases, and attribution by what only one of them is known for."""

from stages.knowledge import Knowledge
from stages.tasks.balance import choose
from stages.tasks.draft import Draft
from stages.tasks.group import group_choice, group_description, group_evidence_choice, group_identification, group_verdict
from stages.tasks.params import TasksParams
from tests.tasks.attack_graph import attack_knowledge, attack_tables
from tests.tasks.small_graph import link

P = TasksParams()


def test_a_profile_holds_aliases_and_software() -> None:
    draft = next(iter(group_description(attack_knowledge(), P)))
    assert draft.answer.splitlines()[1:] == ["Other names: Gang 0.", "Software reported for it includes Crowbar and Suitcase."]


def test_a_group_is_identified_with_its_aliases_and_never_named_in_the_question() -> None:
    knowledge = attack_knowledge()
    for draft in [*group_identification(knowledge, P), *group_choice(knowledge, P), *group_verdict(knowledge, P)]:
        assert isinstance(draft, Draft)
        assert knowledge.entities[draft.subject].name not in draft.slots["text"]
    assert next(iter(group_identification(knowledge, P))).answer == "Group: Grey Heron, also known as Gang 0"


def test_the_evidence_fits_one_group_only() -> None:
    knowledge = attack_knowledge()
    made = [one for one in group_evidence_choice(knowledge, P) if isinstance(one, Draft)]
    names = {one.name: one.id for one in knowledge.of_type("group")}
    drafts = choose("group-evidence-choice", made, 9, 0)
    assert drafts
    for draft in drafts:
        shown = set(draft.entities) - set(names.values())
        used = [{link.object for link in knowledge.links_from(names[option], "uses")} for option in draft.options]
        assert [shown <= one for one in used] == [True, False, False, False]


def test_a_group_known_for_everything_shown_is_no_wrong_option() -> None:
    tables = attack_tables()
    everything = [one.object for one in tables["links"] if one.subject == "attack:G0000"]
    tables["links"] += [link("attack:G0002", "uses", one) for one in everything]
    made = {one.subject: one for one in group_evidence_choice(Knowledge(**tables), P) if isinstance(one, Draft)}
    assert "blue marten" in made["attack:G0000"].ask.barred and "red otter" not in made["attack:G0000"].ask.barred
