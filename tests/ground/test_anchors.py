"""Sentences of links: only those that exemplify their object, none that leaks, the same in any order."""

import pytest

from stages.graph.schema import Split
from stages.ground.anchors import Anchors, anchors_of
from stages.ingest.schema import Link
from tests.toy_rows import make_item, make_link, make_passage

TEXT = "The intruder mailed a link to a copied login page."
PASSAGES = [
    make_passage("attack:T1", "Advice.", id="attack:T1#advice"),
    make_passage("attack:T1", "What it is.", id="attack:T1#description"),
    make_passage("attack:T2", "What it is.", id="attack:T2#b"),
    make_passage("attack:T2", "More.", id="attack:T2#a"),
]
SPLITS = [Split(entity_id="attack:G1", split="train"), Split(entity_id="attack:G2", split="heldout")]
SPLITS += [Split(entity_id="attack:T3", split="dev"), Split(entity_id="attack:T1", split="train")]


def found(*links: Link, deny: tuple[str, ...] = (), weight: float = 0.5, items: tuple = ()) -> tuple[Anchors, dict[str, int]]:
    return anchors_of(links, PASSAGES, SPLITS, items, 6, deny, weight)


def test_a_sentence_leads_to_the_passage_that_says_what_its_object_is() -> None:
    links = [
        make_link("attack:G1", "uses", "attack:T1", TEXT),
        make_link("attack:S1", "uses", "attack:T1", f"  {TEXT}\n"),
        make_link("attack:S1", "uses", "attack:T1", "Another sentence that comes first."),
        make_link("attack:S1", "uses", "attack:T2", TEXT),
    ]
    anchors, counts = found(*links)
    assert anchors == Anchors({"attack:T1#description": ["Another sentence that comes first.", TEXT], "attack:T2#a": [TEXT]}, 0.5)
    assert counts["usable"] == 4 and found(*links[::-1]) == (anchors, counts)


@pytest.mark.parametrize(
    "link",
    [
        make_link("attack:M1", "mitigates", "attack:T1", TEXT),
        make_link("report:1", "describes", "attack:T1", TEXT),
        make_link("attack:G1", "uses", "attack:T1", "  "),
    ],
)
def test_a_sentence_of_something_else_and_an_empty_one_lead_nowhere(link: Link) -> None:
    assert found(link)[0].texts == {} and not sum(found(link)[1].values())


def test_each_kind_of_leak_is_left_out_and_counted() -> None:
    item = make_item("Who mailed a link to a copied page, as CVE-2021-1111 allows?", options=["Copied it by hand", "Nobody"])
    links = [
        make_link("attack:G2", "uses", "attack:T1", TEXT),
        make_link("attack:G1", "uses", "attack:T3", TEXT),
        make_link("attack:G1", "uses", "attack:T9", "The object of this one has no passage."),
        make_link("attack:G1", "uses", "attack:T1", "Shared with all who share alike.", licence="CC-BY-SA-4.0"),
        make_link("cve:CVE-2021-1111", "instance-of", "attack:T1", "A page is copied by whoever asks."),
        make_link("attack:G1", "uses", "attack:T1", "They abused cve-2021-1111 at many places."),
        make_link("attack:G1", "uses", "attack:T1", "Someone MAILED a link to a copied, colourful page."),
        make_link("attack:G1", "uses", "attack:T1", "Mailed a LINK to."),
        make_link("attack:G1", "uses", "attack:T1", "Copied it by hand."),
        make_link("attack:G1", "uses", "attack:T1", "Used it often."),
        make_link("attack:G1", "uses", "attack:T1", "Взломал сеть и унёс данные."),
        make_link("attack:G1", "uses", "attack:T1", "Copied it by hands."),
    ]
    anchors, counts = found(*links, deny=("share-alike",), items=(item,))
    assert anchors.texts == {"attack:T1#description": ["Copied it by hands."]}
    assert counts == {
        "held-out": 2, "no-passage": 1, "licence-denied": 1, "benchmark-cve": 2, "benchmark-whole": 2, "benchmark-ngram": 1,
        "said-elsewhere": 0, "too-short": 2, "usable": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "leak",
    [
        make_link("attack:G2", "uses", "attack:T1", TEXT),  # of a held-out subject
        make_link("attack:G1", "uses", "attack:T3", TEXT),  # of the dev split
        make_link("attack:G2", "uses", "attack:T9", TEXT),  # its object has no passage either
        make_link("attack:G1", "uses", "attack:T1", TEXT, licence="CC-BY-SA-4.0"),
        make_link("cve:CVE-2021-1111", "instance-of", "attack:T1", TEXT),
    ],
)
def test_what_a_link_that_is_left_out_says_does_not_come_in_through_another(leak: Link) -> None:
    item = make_item("What does CVE-2021-1111 allow?")
    same = make_link("attack:G1", "uses", "attack:T2", f"the {TEXT[4:].upper()}")
    for links in ([leak, same], [same, leak]):
        anchors, counts = found(*links, deny=("share-alike",), items=(item,))
        assert anchors.texts == {} and counts["said-elsewhere"] == 1 and "usable" not in counts


def test_a_sentence_without_a_passage_keeps_no_other_out() -> None:
    links = [make_link("attack:G1", "uses", "attack:T9", TEXT), make_link("attack:G1", "uses", "attack:T2", TEXT)]
    assert found(*links)[0].texts == {"attack:T2#a": [TEXT]}


def test_of_no_weight_nothing_is_indexed() -> None:
    assert found(make_link("attack:G1", "uses", "attack:T1", TEXT), weight=0.0)[0] == Anchors({}, 0.0)
