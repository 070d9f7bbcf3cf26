"""Capabilities of platforms: options of one platform only, and the part that each plays."""

from stages.tasks.capability import capability_choice, capability_role
from tests.tasks.drafted import drafts, known
from tests.tasks.small_graph import entity, link

TEXT = "Adversaries guess the password of a cloud account many times in a row until one of the guesses lets them in, case"
COMMENT = "The service watches every failed login of the account and tells the owner when there are far too many."


def graph():
    entities = [entity(f"attack:T100{place}", "technique", f"Trick {place}", f"{TEXT} {place}.") for place in range(4)]
    entities += [
        entity(f"ctid:{name}/{place}", "security-capability", f"{name} service {place}", framework=name)
        for name in ("cirrus", "stratus")
        for place in range(4)
    ]
    relations = ("mitigates", "detects", "responds-to", "detects")
    links = [link(f"ctid:cirrus/{place}", relation, f"attack:T100{place}", COMMENT) for place, relation in enumerate(relations)]
    links += [
        link("ctid:stratus/0", "mitigates", "attack:T1000", COMMENT),
        link("ctid:stratus/0", "detects", "attack:T1000", COMMENT),
    ]
    return known(entities, links)


def test_options_are_services_of_one_platform() -> None:
    made = drafts(capability_choice, graph())
    assert {(draft.subject, draft.options[0]) for draft in made} == {
        (f"attack:T100{place}", f"cirrus service {place}") for place in range(4)
    }
    assert all(name.startswith("cirrus") for draft in made for name in draft.ask.hard)
    assert made[0].answer.startswith("Cirrus service 0 meets Trick 0 (T1000). The service watches")


def test_the_part_is_that_of_the_relation_and_two_parts_are_not_asked() -> None:
    letters = {
        (draft.slots["name"], draft.slots["technique"]): draft.letter
        for draft in drafts(capability_role, graph())
        if draft.letter != "D"
    }
    assert letters == {(f"cirrus service {place}", f"Trick {place}"): letter for place, letter in enumerate("ABCB")}


def test_a_foreign_technique_is_answered_by_the_one_that_is_meant() -> None:
    foreign = [draft for draft in drafts(capability_role, graph()) if draft.letter == "D"]
    assert foreign and all(draft.slots["technique"] not in draft.answer.split(";")[0] for draft in foreign)
    assert all(draft.quoted for draft in foreign)
