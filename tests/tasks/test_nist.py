"""Controls: what they limit, from which baseline on, what an enhancement and a revision change."""

from stages.tasks.nist import (
    control_baseline,
    control_enhancement,
    control_revision,
    control_techniques,
    technique_control_choice,
)
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

DEMAND = "The organisation reviews every account once a month"


def control(id: str, text: str = DEMAND, **fields: object):
    return entity(f"nist:{id}", "control", f"Name of {id}", f"{text} for {id}.", **fields)


def graph(heldout: tuple[str, ...] = ()):
    controls = [
        control("AC-1", baselines=["LOW", "MODERATE", "HIGH"]),
        control("AC-2", baselines=["HIGH"]),
        control("AC-3", baselines=[]),
        control("AC-4", baselines=["LOW"]),
        control("AC-1(1)", "The review is done by a machine", baselines=["MODERATE", "HIGH"]),
    ]
    text = "Adversaries open the account of a user who has left the organisation long ago and was forgotten, in case"
    techniques = [entity(f"attack:T100{place}", "technique", f"Trick {place}", f"{text} {place}.") for place in range(4)]
    tactics = [entity("attack:TA0001", "tactic", "Persistence"), entity("attack:TA0002", "tactic", "Impact")]
    old = [
        entity("nist-r4:AC-1", "control-r4", "Name of AC-1", "The organisation reviews accounts at times."),
        entity("nist-r4:AC-9", "control-r4", "Lost Control", "The organisation counts its accounts at times."),
        entity("nist-r4:AC-2", "control-r4", "Old name", "The organisation reviews every account once a month for AC-2."),
    ]
    links = [link("nist:AC-1", "mitigates", f"attack:T100{place}") for place in range(3)]
    links += [link("nist:AC-2", "mitigates", "attack:T1003"), link("nist:AC-3", "mitigates", "attack:T1003")]
    links += [link("nist:AC-4", "mitigates", "attack:T1003")]
    links += [link("nist:AC-1(1)", "mitigates", "attack:T1003"), link("nist:AC-1(1)", "child-of", "nist:AC-1")]
    links += [link(f"attack:T100{place}", "achieves", f"attack:TA000{1 + place // 2}") for place in range(4)]
    links += [link(f"nist-r4:AC-{place}", "succeeded-by", f"nist:AC-{place}") for place in (1, 2)]
    links += [link("nist-r4:AC-9", "succeeded-by", "nist:AC-3")]
    return known([*controls, *techniques, *tactics, *old], links, heldout)


def test_techniques_are_counted_by_tactic_without_those_held_out() -> None:
    draft = drafts(control_techniques, graph(("attack:T1001",)))[0]
    assert draft.answer.splitlines()[0] == "Name of AC-1 (AC-1) is mapped to 2 techniques known here."
    assert "- Persistence: Trick 0 (T1000)." in draft.answer and "Trick 1" not in draft.answer


def test_every_level_that_is_known_is_asked() -> None:
    verdicts = {(draft.subject, draft.slots["level"]): draft.verdict for draft in drafts(control_baseline, graph())}
    assert len(verdicts) == 15
    assert verdicts["nist:AC-2", "HIGH"] and not verdicts["nist:AC-2", "MODERATE"] and not verdicts["nist:AC-3", "HIGH"]
    only_high = drafts(control_baseline, known([control("AC-1", baselines=["HIGH"]), control("AC-2")]))
    assert {draft.slots["level"] for draft in only_high} == {"HIGH"}
    assert only_high[1].answer == "Name of AC-2 (AC-2) is in no baseline known here (HIGH)."


def test_without_baselines_nothing_is_asked() -> None:
    assert drafts(control_baseline, known([control("AC-1")])) == []


def test_an_enhancement_quotes_its_base() -> None:
    (draft,) = drafts(control_enhancement, graph())
    assert draft.subject == "nist:AC-1(1)" and draft.quoted == ["nist:AC-1"]
    assert draft.answer.splitlines()[1].startswith("The enhancement Name of AC-1(1) (AC-1(1)) adds: The review is done")


def test_a_revision_tells_what_became_of_the_control_unless_nothing_changed() -> None:
    kept, gone = drafts(control_revision, graph())
    assert kept.subject == "nist-r4:AC-1" and kept.answer.startswith("AC-1 keeps the name Name of AC-1.\nRevision 4: The")
    assert gone.answer.startswith("AC-9 has gone; what it asked for now belongs to Name of AC-3 (AC-3).")
    assert skips(control_revision, graph()) == {"nist-r4:AC-2": "same-text"}


def test_a_technique_asks_for_the_rarest_of_its_controls() -> None:
    made = drafts(technique_control_choice, graph())
    assert {draft.subject: draft.options for draft in made}["attack:T1000"] == ["Name of AC-1"]
