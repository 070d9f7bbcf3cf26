"""Names of actors: joined over sources, never asked where two actors carry one, never given away by the other name."""

from stages.tasks.actor import actor_alias_choice, actor_profile, actor_same
from tests.tasks.drafted import drafts, known
from tests.tasks.small_graph import entity, link


def graph(heldout: tuple[str, ...] = ()):
    groups = [
        entity("attack:G0001", "group", "Quiet Heron", aliases=["Quiet Heron", "APT 91", "Shared Name"]),
        entity("attack:G0002", "group", "Loud Magpie", aliases=["APT 92", "Shared Name"]),
        entity("attack:G0003", "group", "Grey Wagtail", aliases=["Wagtail Team"]),
        entity("attack:G0004", "group", "Red Kestrel", aliases=["APT 94"]),
    ]
    actors = [
        entity("misp-actor:1", "threat-actor", "TA-HERON", synonyms=["Bronze Pond"], targets=["Energy"], sponsor="Freedonia"),
        entity(
            "misp-actor:2", "threat-actor", "Lone Crow", synonyms=["APT 95"], targets=["Government", "Government, Administration"]
        ),
        entity("misp-actor:3", "threat-actor", "No Data"),
    ]
    return known([*groups, *actors], [link("misp-actor:1", "same-as", "attack:G0001")], heldout)


def test_names_are_joined_over_sources_and_shared_ones_are_not_asked() -> None:
    asked = {draft.slots["alias"]: draft.options[0] for draft in drafts(actor_alias_choice, graph())}
    assert asked == {"APT 91": "Quiet Heron", "Bronze Pond": "Quiet Heron", "APT 92": "Loud Magpie", "APT 94": "Red Kestrel"}


def test_a_pair_that_sounds_alike_is_the_wrong_one() -> None:
    by_subject = {(draft.subject, draft.verdict): draft for draft in drafts(actor_same, graph())}
    wrong = by_subject["misp-actor:2", False]
    assert {"Lone Crow", "APT 95"} & set(wrong.slots.values())
    assert any(value.startswith("APT 9") for value in wrong.slots.values())
    assert wrong.answer.endswith("Lone Crow is not known by it.")
    assert "Lone Crow" in by_subject["misp-actor:2", True].slots.values()


def test_a_heldout_actor_is_no_wrong_partner() -> None:
    for draft in drafts(actor_same, graph(("attack:G0004",))):
        assert "attack:G0004" not in draft.quoted


def test_a_profile_names_a_target_once() -> None:
    profiles = {draft.slots["name"]: draft.answer for draft in drafts(actor_profile, graph())}
    assert profiles["TA-HERON"].splitlines() == [
        "- Attributed to: Freedonia.",
        "- Targets: Energy.",
        "- Also called: Bronze Pond.",
    ]
    assert "- Targets: Government, Administration." in profiles["Lone Crow"]
    assert "No Data" not in profiles
