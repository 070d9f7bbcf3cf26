"""Merging, successors, and what becomes of links."""

from itertools import permutations

import msgspec

from stages.graph.resolve import merge_entities, resolve_links
from tests.graph.sample import entity, link, table


def test_the_richest_text_wins_and_fields_are_united_with_their_licence() -> None:
    short = entity("cve:1", text="Short.", fields={"observed_examples": ["Short."], "year": 2031}, source="cwe", licence="A")
    long = entity("cve:1", text="A much longer text.", fields={"title": "T", "year": 2031}, source="incidents", licence="B")
    for rows in permutations([short, long]):
        merged = merge_entities(rows)["cve:1"]
        assert merged.text == long.text and merged.source == "incidents" and merged.licence == "A AND B"
        assert merged.fields == {"observed_examples": ["Short."], "title": "T", "year": 2031, "sources": ["cwe", "incidents"]}


def test_a_cut_text_loses_against_a_whole_one_and_its_mark_goes_with_it() -> None:
    cut = entity("cve:1", text="A long text of which the end is missing.", fields={"text_cut": True}, source="b")
    whole = entity("cve:1", text="Whole.", source="a")
    merged = merge_entities([cut, whole])["cve:1"]
    assert merged.text == "Whole." and "text_cut" not in merged.fields and merged.licence == "CC0-1.0"


def test_the_date_of_a_source_that_knows_it() -> None:
    rows = [
        entity("cve:1", text=text, published=date, source=text)
        for text, date in (("Longest text.", ""), ("B.", "2031-02"), ("C.", "2031-01"))
    ]
    assert merge_entities(rows)["cve:1"].published == "2031-01"
    assert merge_entities([*rows, entity("cve:1", text="The longest text.", published="2032")])["cve:1"].published == "2032"


def test_a_bare_id_adds_nothing() -> None:
    stub = msgspec.structs.replace(entity("capec:CAPEC-1", fields={"stub": True}, source="cwe", licence="CWE"), text="")
    full = entity("capec:CAPEC-1", source="capec", licence="CAPEC")
    assert merge_entities([stub, full])["capec:CAPEC-1"] == full


def test_links_follow_successors_and_drops_have_reasons() -> None:
    entities = table(
        entity("a"), entity("b"), entity("old", deprecated=True, revoked_by="older"), entity("older", deprecated=True, revoked_by="b"),
        entity("gone", deprecated=True), entity("x", revoked_by="y", deprecated=True), entity("y", revoked_by="x", deprecated=True),
    )  # fmt: skip
    links = [
        link("a", "uses", "old"),
        link("a", "uses", "gone"),
        link("a", "uses", "nowhere"),
        link("b", "uses", "old"),
        link("a", "uses", "x"),
    ]
    kept, rejects, counters = resolve_links(links, entities)
    assert [(row.subject, row.object) for row in kept] == [("a", "b")]
    assert {(reject.record, reject.reason) for reject in rejects} == {
        ("a uses gone", "deprecated-id"), ("a uses nowhere", "unknown-id"), ("b uses old", "self-link"), ("a uses x", "deprecated-id"),
    }  # fmt: skip
    assert counters["followed"] == {"toy": 1}


def test_repeated_links_keep_the_longest_text_and_are_counted() -> None:
    entities = table(entity("a"), entity("b"))
    rows = [link("a", "uses", "b"), link("a", "uses", "b", "Long sentence."), link("a", "uses", "b", "Short.", source="other")]
    for order in permutations(rows):
        kept, rejects, counters = resolve_links(order, entities)
        assert [row.text for row in kept] == ["Long sentence."] and not rejects
        assert sum(counters["duplicates"].values()) == 2
