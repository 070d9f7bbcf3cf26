"""Two explanations of one actor: names hidden, each pair in one of the two tasks only."""

from stages.tasks import explanation
from stages.tasks.balance import letters_for
from tests.tasks.pieces import drafts, graph
from tests.tasks.small_graph import entity, link

PLACES = ("attic", "bakery", "cellar", "dairy", "estate", "forge", "garden", "harbour")


def knowledge(**splits: str):
    entities = [
        entity(f"attack:T100{n}", "technique", f"{one} Raid", f"Someone raids the {one}.") for n, one in enumerate(PLACES)
    ]
    entities += [entity(f"attack:G000{n}", "group", f"Gang {one}", "A gang.") for n, one in enumerate(PLACES)]
    entities += [entity("attack:M1000", "mitigation", "Lamp", "Light a lamp.")]
    links = [
        link(
            f"attack:G000{n}",
            "uses",
            f"attack:T100{m}",
            f"Gang {one} went for the {other} Raid with {word} lanterns and a rope last week.",
        )
        for n, one in enumerate(PLACES)
        for m, (other, word) in enumerate(zip(PLACES, ("old", "red", "dim", "big", "new", "odd", "wet", "dry"), strict=True))
    ]
    links += [
        link("attack:M1000", "mitigates", f"attack:T100{n}", f"Lamps near the {one} make all thieves turn round early.")
        for n, one in enumerate(PLACES)
    ]
    return graph(entities, links, **splits)


def test_the_right_text_belongs_to_the_technique_and_hides_its_name() -> None:
    for draft in drafts(explanation.explanation_classification, knowledge()):
        place = PLACES[int(draft.quoted[0][-1])]
        right, wrong = draft.options
        assert f"{place} Raid" not in right and right != wrong
        assert draft.slots["technique"] == f"{place} Raid (T100{draft.quoted[0][-1]})"
        assert draft.answer.startswith(f"{place} Raid (T100") and draft.answer.endswith(
            f"{PLACES[int(draft.quoted[1][-1])]} Raid ({draft.quoted[1][7:]})."
        )


def test_a_pair_is_asked_in_one_task_only_and_both_have_some() -> None:
    pick, sort = (
        {(one.subject, one.quoted[0]) for one in drafts(each, knowledge())}
        for each in (explanation.explanation_pick, explanation.explanation_classification)
    )
    assert pick and sort and not pick & sort


def test_the_open_answer_says_which_and_repeats_it() -> None:
    found = drafts(explanation.explanation_pick, knowledge())
    assert {"first" if "The first explanation" in one.answer else "second" for one in found} == {"first", "second"}
    for one in found:
        which = "first" if "The first explanation" in one.answer else "second"
        assert one.slots[which] in one.answer and one.slots["second" if which == "first" else "first"] not in one.answer


def test_heldout_techniques_are_neither_side() -> None:
    for generator in (explanation.explanation_pick, explanation.explanation_classification):
        for one in drafts(generator, knowledge(attack__T1003="heldout")):
            assert "attack:T1003" not in one.quoted


def test_mitigations_limit_and_actors_use() -> None:
    verbs = {(one.subject[7], one.slots["verb"]) for one in drafts(explanation.explanation_pick, knowledge())}
    assert verbs <= {("G", "uses"), ("M", "limits")} and ("G", "uses") in verbs


def test_two_options_take_two_letters_equally_often() -> None:
    letters = letters_for("t", drafts(explanation.explanation_classification, knowledge()), 0)
    assert set(letters) == {"A", "B"} and abs(letters.count("A") - letters.count("B")) <= 1
