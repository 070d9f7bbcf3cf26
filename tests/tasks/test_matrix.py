"""Mobile and ICS: environments told apart, namesakes among the options, assets and safeguards of their own."""

from msgspec.structs import replace

from stages.knowledge import Knowledge
from stages.tasks.balance import choose
from stages.tasks.draft import Draft, Skip
from stages.tasks.matrix import (
    asset_choice,
    domain_mitigation_choice,
    domain_procedure_path,
    domain_tactic_choice,
    domain_technique_choice,
    domain_verdict,
)
from stages.tasks.params import TasksParams
from tests.tasks.attack_graph import attack_knowledge, attack_tables
from tests.tasks.small_graph import entity, link

P = TasksParams()


def drafts_of(make) -> list[Draft]:
    found = [one for one in make(attack_knowledge(), P) if isinstance(one, Draft)]
    assert found, make
    return found


def test_the_environment_is_judged() -> None:
    for draft in drafts_of(domain_verdict):
        mobile, ics = "attack:T5" in draft.subject, "attack:T8" in draft.subject
        own = "mobile devices" if mobile else "industrial control systems" if ics else "enterprise IT"
        assert draft.verdict == (draft.slots["matrix"] == own)


def test_a_text_that_shows_no_environment_is_ambiguous() -> None:
    tables = attack_tables()
    tables["entities"] = [
        replace(one, text=one.text.replace("phone with Android", "thing at hand")) if one.id == "attack:T5000" else one
        for one in tables["entities"]
    ]
    knowledge = Knowledge(**tables)
    for make in (domain_verdict, domain_technique_choice):
        assert Skip("attack:T5000", "ambiguous-key") in list(make(knowledge, P))


def test_namesakes_of_other_matrices_are_options_and_stay_apart() -> None:
    drafts = choose("domain-technique-choice", drafts_of(domain_technique_choice), 99, 0)
    prying = next(draft for draft in drafts if draft.subject == "attack:T5000")
    assert prying.options[0] == "Window Prying (mobile devices)"
    assert prying.ask.hard[0] in ("Window Prying (enterprise IT)", "Window Prying (industrial control systems)")
    for draft in drafts:
        assert len(set(draft.options)) == 4


def test_goals_are_those_of_the_technique_s_own_matrix() -> None:
    draft = next(one for one in drafts_of(domain_tactic_choice) if one.subject == "attack:T5002")
    assert draft.options == ["Goal and End 2"] and draft.slots["matrix"] == "mobile devices"


def test_a_report_is_followed_over_platform_and_goal() -> None:
    draft = drafts_of(domain_procedure_path)[0]
    assert draft.key == ["T5000"]
    assert draft.answer.splitlines() == [
        "1. The report on Crowbar is about mobile devices (Android).",
        "2. The act serves Goal and End 0 there.",
        "3. The technique of that matrix is Window Prying.",
    ]


def test_safeguards_and_assets_come_from_their_own_matrix() -> None:
    assert {draft.options[0] for draft in drafts_of(domain_mitigation_choice)} == {f"mobile Shield {place}" for place in range(4)}
    assert {draft.options[0] for draft in drafts_of(asset_choice)} == {f"Machine {place}" for place in range(4)}


def test_a_platform_called_none_is_none() -> None:
    tables = attack_tables()
    tables["entities"] = [
        replace(one, fields={**one.fields, "platforms": ["None"]}) if one.id.startswith("attack:T8") else one
        for one in tables["entities"]
    ]
    made = [
        one for one in domain_verdict(Knowledge(**tables), P) if isinstance(one, Draft) and one.subject.startswith("attack:T8")
    ]
    assert made and all(one.answer.endswith("matrix for industrial control systems.") for one in made)


def test_an_act_that_hits_every_asset_is_no_question() -> None:
    tables = attack_tables()
    tables["entities"] += [entity(f"attack:A010{place}", "asset", f"Part {place}", "A part.", domain="ics") for place in range(7)]
    tables["links"] += [link("attack:T8000", "targets", f"attack:A010{place}") for place in range(7)]
    assert Skip("attack:T8000", "ambiguous-key") in list(asset_choice(Knowledge(**tables), P))
