"""One link: told in its own direction, denied only where no relation joins the pair, chosen among strangers."""

import pytest

from stages.errors import InputError
from stages.graph.schema import HardNegative
from stages.tasks import link as tasks
from stages.tasks.balance import choose
from stages.tasks.chain import say
from tests.tasks.pieces import drafts, graph
from tests.tasks.small_graph import entity, link

LETTERS = "-abcdefghijklmnopqrstuvwxyz"


def weaknesses(count: int):
    return [
        entity(f"cwe:CWE-{n}", "weakness", f"Flaw {LETTERS[n]}", f"The {LETTERS[n]} of the clock is loose.")
        for n in range(1, count)
    ]


def test_the_direction_of_the_link_stays_whichever_node_is_named_first() -> None:
    entities = weaknesses(26)
    links = [link(f"cwe:CWE-{n}", "can-precede", f"cwe:CWE-{n + 1}") for n in range(1, 25)]
    found = drafts(tasks.direct_link, graph(entities, links))
    assert len(found) == 24 and {one.slots["one"] < one.slots["other"] for one in found} == {True, False}
    for one in found:
        number = int(one.subject[8:])
        assert one.answer.startswith(f"The weakness Flaw {LETTERS[number]} (CWE-{number}) can lead to the weakness Flaw")


def test_texts_of_heldout_nodes_are_not_told() -> None:
    entities = weaknesses(3)
    links = [link("cwe:CWE-1", "child-of", "cwe:CWE-2", "The clock says so itself, loudly.")]
    (whole,) = drafts(tasks.direct_link, graph(entities, links))
    assert whole.answer.endswith("\nThe clock says so itself, loudly.")
    (half,) = drafts(tasks.direct_link, graph(entities, links, cwe__CWE_2="heldout"))
    assert "says so" not in half.answer and "The b of the clock" not in half.answer and "The a of the clock" in half.answer


def test_no_pair_is_denied_that_another_relation_joins() -> None:
    entities = weaknesses(5)
    links = [link("cwe:CWE-1", "can-precede", "cwe:CWE-2"), link("cwe:CWE-3", "related-to", "cwe:CWE-1")]
    near = [HardNegative(subject="cwe:CWE-1", relation="can-precede", object="cwe:CWE-3", similarity=0.9)]
    found = [one for one in drafts(tasks.direct_link_verdict, graph(entities, links, near)) if one.subject == "cwe:CWE-1"]
    assert {one.verdict for one in found} == {True, False}
    (no,) = [one for one in found if not one.verdict]
    assert no.slots["other"] == "the weakness Flaw d (CWE-4)" and no.answer.endswith("can lead to the weakness Flaw b (CWE-2).")


def test_a_mobile_technique_is_no_right_answer_among_enterprise_ones() -> None:
    names = "abcdefgh"
    entities = [entity(f"attack:T100{n}", "technique", f"Walk {names[n]}", "Someone walks.") for n in range(6)]
    entities += [entity("attack:T9001", "technique", "Ride", "Someone rides.", domain="mobile")]
    entities += [entity(f"attack:S000{n}", "malware", f"Mouse {names[n]}", "A mouse.") for n in range(5)]
    links = [link(f"attack:S000{n}", "uses", f"attack:T100{n}") for n in range(4)] + [
        link("attack:S0004", "uses", "attack:T9001")
    ]
    found = choose("direct-link-choice", drafts(tasks.direct_link_choice, graph(entities, links)), 100, 0)
    assert {one.subject for one in found} <= {f"attack:S000{n}" for n in range(4)} and found
    for one in found:
        assert one.options[0] == f"Walk {names[int(one.subject[-1])]}" and len(set(one.options)) == 4
        assert one.slots["asked"] == "a technique that it uses"


def test_a_relation_without_words_names_the_file_to_mend() -> None:
    one, other = weaknesses(3)
    with pytest.raises(InputError, match=r"baffles[^$]*relations\.yaml"):
        say("baffles", one, other, "links.yaml")
