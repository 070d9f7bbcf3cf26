"""Campaigns: facts joined, names hidden, software and actors tied to them by what both do."""

from msgspec.structs import replace

from stages.knowledge import Knowledge
from stages.tasks.balance import choose
from stages.tasks.campaign import (
    campaign_attribution,
    campaign_choice,
    campaign_identification,
    campaign_profile,
    campaign_software_choice,
    campaign_verdict,
)
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from tests.tasks.attack_graph import attack_knowledge, attack_tables
from tests.tasks.small_graph import entity, link

P = TasksParams()


def test_a_profile_joins_period_actor_software_and_techniques() -> None:
    draft = next(iter(campaign_profile(attack_knowledge(), P)))
    assert draft.answer.splitlines()[1:] == [
        "Operation Thaw was active from 2020-01 to 2020-03.",
        "It is attributed to Grey Heron (G0000).",
        "Software seen in it: Crowbar.",
        "Techniques seen in it include Window Prying (T1000).",
    ]


def test_a_text_that_the_source_cut_is_no_answer_but_may_be_asked() -> None:
    tables = attack_tables()
    tables["entities"] = [
        replace(one, fields={**one.fields, "text_cut": True}) if one.type == "campaign" else one for one in tables["entities"]
    ]
    knowledge = Knowledge(**tables)
    assert next(iter(campaign_profile(knowledge, P))).answer.startswith("Operation Thaw was active")
    assert isinstance(next(iter(campaign_identification(knowledge, P))), Draft)


def test_a_raid_named_after_its_actor_does_not_give_itself_away() -> None:
    knowledge = attack_knowledge()
    made = [*campaign_identification(knowledge, P), *campaign_choice(knowledge, P), *campaign_verdict(knowledge, P)]
    texts = {draft.slots["text"] for draft in made if isinstance(draft, Draft) and draft.subject == "attack:C0003"}
    assert texts and all("APT77" not in text and "Bakery" not in text for text in texts)


def test_the_software_of_a_campaign_is_argued_by_shared_techniques() -> None:
    knowledge = attack_knowledge()
    drafts = choose("x", [one for one in campaign_software_choice(knowledge, P) if isinstance(one, Draft)], 9, 0)
    assert len(drafts) == 4
    for draft in drafts:
        used = {one.name for one in knowledge.objects(draft.subject, "uses", "tool", "malware")}
        assert [option in used for option in draft.options] == [True, False, False, False]
        assert draft.slots["techniques"] in draft.answer


def test_an_attribution_names_neither_campaign_nor_group_in_the_question() -> None:
    knowledge = attack_knowledge()
    made = [one for one in campaign_attribution(knowledge, P) if isinstance(one, Draft)]
    assert len(made) == 4
    for draft in made:
        told = " ".join(draft.slots.values())
        assert draft.options[0] not in told and knowledge.entities[draft.subject].name not in told


def test_a_campaign_of_two_groups_has_no_one_answer() -> None:
    tables = attack_tables()
    tables["links"].append(link("attack:C0000", "attributed-to", "attack:G0001"))
    assert Skip("attack:C0000", "ambiguous-key") in list(campaign_attribution(Knowledge(**tables), P))


def test_other_software_of_the_campaign_is_no_wrong_option() -> None:
    tables = attack_tables()
    tables["entities"] += [entity(f"attack:S010{place}", "tool", f"Spare {place}", "A spare.") for place in range(3)]
    tables["links"].append(link("attack:C0000", "uses", "attack:S0002"))
    made = {one.subject: one for one in campaign_software_choice(Knowledge(**tables), P) if isinstance(one, Draft)}
    draft = made["attack:C0000"]
    assert {draft.options[0].casefold(), *draft.ask.barred} >= {"crowbar", "feather"}
