"""Entries recognised by their texts: names hidden, near names wrong, a contrast for every no."""

import pytest

from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.recognition import choose_name, confirm_name, nearest, ordinary_words, partners, shown_text
from tests.tasks.attack_graph import attack_knowledge
from tests.tasks.small_graph import entity

P = TasksParams()


def test_a_name_and_its_aliases_are_hidden_and_so_are_words_that_only_it_has() -> None:
    knowledge = attack_knowledge()
    raid = knowledge.entities["attack:C0003"]
    pool = list(knowledge.of_type("campaign"))
    text = shown_text(knowledge, raid, P, ordinary_words(pool))
    assert "APT77" not in text and "Bakery" not in text and "campaign by [...]" in text
    assert "APT77" in shown_text(knowledge, raid, P)


def test_a_text_that_ends_in_dots_is_not_shown() -> None:
    knowledge = attack_knowledge()
    cut = entity("attack:G0000", "group", "Grey Heron", "A long story of a gang that goes on and on and then just stops here...")
    assert shown_text(knowledge, cut, P) == ""


def test_the_nearest_text_comes_first() -> None:
    pool = [entity(f"x:{place}", "group", f"N{place}", text) for place, text in enumerate(
        ["wooden boat under sail", "iron bridge over water", "wooden boat under repair", "glass tower"])]  # fmt: skip
    assert nearest(pool)["x:0"][0].id == "x:2" and nearest(pool)["x:2"][0].id == "x:0"


def test_a_name_is_wrong_about_as_often_as_it_is_right() -> None:
    knowledge = attack_knowledge()
    wrong = partners(knowledge, list(knowledge.of_type("group")))
    assert sorted(one.id for one in wrong.values()) == [f"attack:G000{place}" for place in range(4)]
    assert all(one != other.id for one, other in wrong.items())


def test_a_kind_is_no_wrong_name_of_its_parent_and_a_heldout_text_is_quoted_nowhere() -> None:
    knowledge = attack_knowledge(attack_T1101=True)
    wrong = partners(knowledge, list(knowledge.techniques()))
    assert all(other.id not in knowledge.family(one) for one, other in wrong.items())
    assert "attack:T1101" not in {other.id for other in wrong.values()}


def test_a_no_names_both_entries_and_says_what_the_wrong_one_is() -> None:
    knowledge = attack_knowledge()
    pool = list(knowledge.of_type("group"))
    made = [one for one in confirm_name(knowledge, P, pool, "group") if isinstance(one, Draft)]
    for draft in made:
        own = knowledge.entities[draft.subject].name
        named = draft.slots["name"]
        assert own not in draft.slots["text"]
        assert draft.verdict == (named == own)
        assert draft.verdict or (f"not {named} (" in draft.answer and f"{named} is a gang" in draft.answer and draft.quoted)
    assert len(made) == 8


@pytest.mark.parametrize("text", ["", "Too short to tell."])
def test_an_entry_without_a_text_is_skipped_with_the_reason(text: str) -> None:
    knowledge = attack_knowledge()
    bare = entity("attack:G0000", "group", "Grey Heron", text)
    pool = [bare, *list(knowledge.of_type("group"))[1:]]
    assert Skip("attack:G0000", "no-text") in list(choose_name(knowledge, P, pool, "group"))
