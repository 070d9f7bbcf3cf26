"""Detection engineering: data sources, coverage of two rules, logs and analytics; nothing of what is held out."""

from stages.tasks.detection import (
    analytic_choice,
    detection_data_source,
    detection_technique,
    detection_tuning,
    log_source_choice,
    rule_coverage,
)
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

TEXT = "The detection finds a program that copies the memory of a login process into a file for later use, case"


def splunk(place: int, **fields: object):
    return entity(f"splunk:{place}", "splunk-detection", f"Odd copy {place}", f"{TEXT} {place}.", **fields)


def test_joined_sources_are_two_and_a_named_one_is_not_asked() -> None:
    knowledge = known(
        [
            splunk(0, data_sources=["Sysmon EventID 10 AND Sysmon EventID 11"]),
            splunk(1, data_sources=["Windows Security 4688."]),
            splunk(2, data_sources=["odd copy"]),
        ]
    )
    first, second = drafts(detection_data_source, knowledge)
    assert first.options[0] in ("Sysmon EventID 10", "Sysmon EventID 11") and second.options == ["Windows Security 4688"]
    assert len({"sysmon eventid 10", "sysmon eventid 11"} & first.ask.barred) == 1
    assert skips(detection_data_source, knowledge) == {"splunk:2": "names-the-answer"}


def test_an_unknown_harmless_cause_makes_no_tuning_question() -> None:
    knowledge = known([splunk(0, falsepositives=["Backup agents read the same process."]), splunk(1, falsepositives=["Unknown"])])
    (draft,) = drafts(detection_tuning, knowledge)
    assert "Harmless activity to expect: Backup agents read" in draft.answer
    assert skips(detection_tuning, knowledge) == {"splunk:1": "no-field"}


def test_detections_and_analytics_are_tagged_alike() -> None:
    analytic = entity("car:CAR-1", "analytic", "Copies", f"{TEXT} 9.")
    knowledge = known(
        [splunk(0), analytic, entity("attack:T1003", "technique", "Credential Dumping")],
        [link("splunk:0", "detects", "attack:T1003"), link("car:CAR-1", "detects", "attack:T1003")],
    )
    assert [draft.key for draft in drafts(detection_technique, knowledge)] == [["T1003"], ["T1003"]]


def rules(heldout: tuple[str, ...] = ()):
    entities = [
        entity(f"sigma:{place}", "sigma-rule", f"Rule {place}", f"Detects oddity number {place} on a host.") for place in range(4)
    ]
    entities += [entity(f"attack:T100{place}", "technique", f"Trick {place}") for place in range(3)]
    links = [link(f"sigma:{place}", "detects", f"attack:T100{min(place, 2)}") for place in range(4)]
    return known(entities, links, heldout)


def test_two_rules_are_asked_in_all_four_cases() -> None:
    by_letter = {draft.letter: draft for draft in drafts(rule_coverage, rules()) if draft.subject == "sigma:2"}
    assert set(by_letter) == {"A", "B", "C", "D"}
    assert by_letter["A"].slots["technique"] == "Trick 2" and by_letter["C"].quoted == ["sigma:3"]
    assert by_letter["D"].answer.endswith("is covered by neither.")


def test_heldout_rules_are_not_quoted() -> None:
    quoted = {one for draft in drafts(rule_coverage, rules(("sigma:3",))) for one in draft.quoted}
    assert quoted == {"sigma:0", "sigma:1", "sigma:2"}


def strategies(heldout: tuple[str, ...] = ()):
    entities, links = [], []
    for place in range(6):
        log = {"name": "WinEventLog:Security", "channel": f"EventCode={4600 + place}", "component": f"Part {place // 2}"}
        analytic = {"id": f"AN000{place}", "platforms": ["Windows"], "text": f"{TEXT} {place}.", "log_sources": [log]}
        entities.append(entity(f"attack:DET000{place}", "detection-strategy", f"Strategy {place}", analytics=[analytic]))
        entities.append(entity(f"attack:T100{place}", "technique", f"Trick {place}"))
        links.append(link(f"attack:DET000{place}", "detects", f"attack:T100{place}"))
    return known(entities, links, heldout)


def test_the_log_of_the_analytic_is_the_answer() -> None:
    made = drafts(log_source_choice, strategies())
    assert [draft.options[0] for draft in made] == [f"WinEventLog:Security (EventCode={4600 + place})" for place in range(6)]
    assert made[0].slots["platform"] == "Windows"


def test_a_log_of_the_same_data_component_is_no_wrong_option() -> None:
    made = drafts(log_source_choice, strategies())
    assert "winEventLog:Security (EventCode=4601)".casefold() in made[0].ask.barred
    assert not any("4601" in name for name in made[0].ask.hard) and any("4602" in name for name in made[0].ask.hard)


def test_an_analytic_of_another_technique_is_the_wrong_option() -> None:
    draft = drafts(analytic_choice, strategies())[0]
    assert draft.options == [f"{TEXT} 0."]
    assert len(draft.ask.hard) == 5 and draft.options[0] not in draft.ask.hard


def test_the_text_of_a_heldout_strategy_or_analytic_is_shown_nowhere() -> None:
    knowledge = strategies(("attack:DET0001", "attack:AN0002"))
    for generator in (log_source_choice, analytic_choice):
        shown = str([(draft.slots, draft.options, draft.ask.hard) for draft in drafts(generator, knowledge)])
        assert f"{TEXT} 0" in shown or "4600" in shown
        assert f"{TEXT} 1" not in shown and f"{TEXT} 2" not in shown
