"""Cloud checks: the right option has something to do with the check, the wrong ones nothing."""

from stages.tasks.cloud import check_control_choice, check_technique_choice
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link


def graph():
    names = ("Encryption at Rest", "Encryption on the Move", "Visitor Log", "Fire Doors", "Spare Parts", "Staff Rota")
    entities = [entity(f"nist:AC-{place}", "control", name, "Volumes hold no plain text.") for place, name in enumerate(names)]
    entities += [entity("check:aws/disk", "cloud-check", "Disk has encryption", "Volumes are tested for encryption with a key.")]
    entities += [entity("check:aws/odd", "cloud-check", "Clock is right", "The clock of each host is compared with ours.")]
    entities += [entity(f"attack:T100{place}", "technique", f"Trick {place}") for place in range(6)]
    entities += [entity(f"attack:TA000{place}", "tactic", f"Goal {place}") for place in range(2)]
    links = [link("check:aws/disk", "satisfies", f"nist:AC-{place}") for place in (0, 2)]
    links += [link("check:aws/odd", "satisfies", f"nist:AC-{place}") for place in (1, 3, 4, 5)]
    links += [link("check:aws/disk", "covers", "attack:T1000")]
    links += [link("check:aws/odd", "covers", f"attack:T100{place}") for place in range(1, 6)]
    links += [link(f"attack:T100{place}", "achieves", f"attack:TA000{int(place > 1)}") for place in range(6)]
    return known(entities, links)


def test_the_control_that_shares_words_is_asked_and_no_other_of_these_is_an_option() -> None:
    (draft,) = drafts(check_control_choice, graph())
    assert draft.options == ["Encryption at Rest"]
    assert {"encryption on the move", "visitor log"} <= draft.ask.barred
    assert skips(check_control_choice, graph()) == {"check:aws/odd": "weak-link"}


def test_a_technique_of_the_same_goal_is_no_wrong_option() -> None:
    draft = next(one for one in drafts(check_technique_choice, graph()) if one.subject == "check:aws/disk")
    assert draft.options == ["Trick 0"] and "trick 1" in draft.ask.barred
