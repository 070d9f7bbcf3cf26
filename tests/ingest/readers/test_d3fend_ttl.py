"""The D3FEND ontology: what acts on what, and which pairs follow from it."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.readers.d3fend_ttl import ontology
from stages.ingest.records import Records
from tests.ingest.reading import read_with

HEAD = """@prefix : <http://d3fend.mitre.org/ontologies/d3fend.owl#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


def some(verb: str, object: str) -> str:
    return f"[ a owl:Restriction ; owl:onProperty :{verb} ; owl:someValuesFrom :{object} ]"


TOY = (
    HEAD
    + f"""
:DigitalArtifact rdfs:label "Digital Artifact" .
:Queue rdfs:subClassOf :DigitalArtifact ; rdfs:label "Queue" ; :definition "What waits." ; skos:altLabel "Line" .
:MailQueue rdfs:subClassOf :Queue ; rdfs:label "Mail Queue" .
:QueueHardening rdfs:subClassOf :DefensiveTechnique, {some("enables", "Harden")} ; rdfs:label "Queue Hardening" ;
    :d3fend-id "D3-QH" ; :definition "Making [queues](/dao/q) hard to fill." .
:QueueBound rdfs:subClassOf :QueueHardening, {some("use-limits", "Queue")}, {some("authenticates", "Person")} ;
    rdfs:label "Queue Bound" ; :d3fend-id "D3-QB" ; :definition "Bounding a queue." ; :synonym "Cap" ;
    :kb-reference :Reference-1 ; :kb-article \"\"\"## How it works
A counter.

## Considerations:
 - Choose `max` well [1].

## References
None\"\"\" .
:Reference-1 rdfs:label "Reference - Bounds" ; :kb-reference-title "On Bounds" ; :has-link "https://example.org/b" .
:Method rdfs:subClassOf :AnalyticMethod ; rdfs:label "Method" ; :d3fend-id "D3-MTD" ; :definition "No measure." .
:T9001 rdfs:subClassOf :OffensiveTechnique, {some("may-modify", "Queue")} ; rdfs:label "Stuffing" ; :attack-id "T9001" .
:T9001.001 rdfs:subClassOf :T9001 ; rdfs:label "Slow Stuffing" ; :attack-id "T9001.001" .
:T9002 rdfs:subClassOf :OffensiveTechnique, {some("modifies", "MailQueue")} ; rdfs:label "Mail" ; :attack-id "T9002" .
:T9003 rdfs:subClassOf :OffensiveTechnique ; rdfs:label "Odd" ; :attack-id "X1" .
"""
)


def read_ttl(folder: Path, content: str | bytes) -> Records:
    (folder / "d3fend.ttl").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_with("d3fend_ttl", {"ontology": folder / "d3fend.ttl"}, version="1.2.0")


def test_a_countermeasure_with_all_its_parts(tmp_path: Path) -> None:
    entities = {one.id: one for one in read_ttl(tmp_path, TOY).entities}
    bound = entities["d3fend:D3-QB"]
    assert (bound.type, bound.name, bound.text) == ("defensive-technique", "Queue Bound", "Bounding a queue.")
    assert bound.fields == {
        "tactic": "Harden",
        "category": "Queue Hardening",
        "synonyms": ["Cap"],
        "actions": ["use-limits"],
        "kb": [{"title": "On Bounds", "link": "https://example.org/b"}],
        "how_it_works": "A counter.",
        "considerations": "Choose max well.",
    }
    assert entities["d3fend:D3-QH"].text == "Making queues hard to fill."
    assert (entities["d3fend:Queue"].type, entities["d3fend:Queue"].fields) == ("digital-artifact", {"synonyms": ["Line"]})


def test_links_go_through_artifacts_and_a_kind_of_technique_inherits_them(tmp_path: Path) -> None:
    links = {(link.subject, link.relation, link.object, link.text) for link in read_ttl(tmp_path, TOY).links}
    assert links == {
        ("d3fend:Queue", "child-of", "d3fend:DigitalArtifact", ""),
        ("d3fend:MailQueue", "child-of", "d3fend:Queue", ""),
        ("d3fend:D3-QB", "child-of", "d3fend:D3-QH", ""),
        ("d3fend:D3-QB", "acts-on", "d3fend:Queue", "use-limits"),
        ("attack:T9001", "affects", "d3fend:Queue", "may modify"),
        ("attack:T9002", "affects", "d3fend:MailQueue", "modifies"),
        ("d3fend:D3-QB", "counters", "attack:T9001", ""),
        ("d3fend:D3-QB", "counters", "attack:T9001.001", ""),
    }


def test_what_is_not_used_is_named(tmp_path: Path) -> None:
    assert {(reject.reason, reject.record) for reject in read_ttl(tmp_path, TOY).rejects} == {
        ("not-a-countermeasure", "D3-MTD Method"),
        ("broken-reference", "X1 T9003"),
        ("no-digital-artifact", "d3fend:D3-QB authenticates Person"),
    }


def test_the_order_of_statements_does_not_matter(tmp_path: Path) -> None:
    body = TOY.removeprefix(HEAD).split(" .\n")
    other = HEAD + " .\n".join([*reversed([part for part in body if part.strip()]), ""])
    first, second = read_ttl(tmp_path, TOY), read_ttl(tmp_path, other)
    assert (first.entities, first.links, first.passages) == (second.entities, second.links, second.passages)


def test_classes_in_a_circle_end(tmp_path: Path) -> None:
    circle = ":DefensiveTechnique rdfs:subClassOf :QueueBound .\n:Queue rdfs:subClassOf :MailQueue .\n"
    assert len(read_ttl(tmp_path, TOY + circle).entities) == 5


def test_a_version_that_the_file_states_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"version 2\.0.*declares 1\.2\.0"):
        read_ttl(tmp_path, TOY + '<http://d3fend.mitre.org/ontologies/d3fend.owl> owl:versionInfo "2.0" .\n')


@pytest.mark.parametrize(
    "content",
    [
        b"",
        TOY[:900].encode(),
        TOY.encode("utf-16"),
        b"\xff\xfe\x00",
        b"<html></html>",
        HEAD.encode() + b":a :b " + b"[ :c " * 20_000,
        HEAD.encode() + b":a :b " + b"( " * 20_000,
        b"@prefix : <file:///etc/passwd> . :a :b :c .",
    ],
)
def test_a_file_that_is_no_ontology_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"d3fend\.ttl"):
        read_ttl(tmp_path, content)


def test_a_file_beyond_all_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ontology, "SIZE_LIMIT", 100)
    with pytest.raises(InputError, match="bytes"):
        read_ttl(tmp_path, TOY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    property=st.sampled_from(
        ["rdfs:label", ":definition", ":d3fend-id", ":attack-id", ":kb-article", "rdfs:subClassOf", ":synonym"]
    ),
    value=st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters='"\\\r\n'), max_size=20),
    literal=st.booleans(),
)
def test_any_value_leaves_the_other_countermeasures(tmp_path: Path, property: str, value: str, literal: bool) -> None:
    object = f'"{value}"' if literal else ":" + "".join(filter(str.isascii, filter(str.isalnum, value)))
    content = f'{TOY}:Extra rdfs:subClassOf :DefensiveTechnique ; :d3fend-id "D3-X" ; {property} {object} .\n'
    assert "d3fend:D3-QB" in {one.id for one in read_ttl(tmp_path, content).entities}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path: Path, junk: bytes) -> None:
    try:
        read_ttl(tmp_path, TOY.encode() + junk)
    except InputError as error:
        assert "d3fend.ttl" in str(error)


@pytest.mark.mirror
def test_counts_of_d3fend_1_2(mirror: Path) -> None:
    records = read_with("d3fend_ttl", {"ontology": mirror / "sources/d3fend/d3fend-protege.ttl"}, version="1.2.0")
    types = Counter(one.type for one in records.entities)
    misplaced = [reject.record for reject in records.rejects if reject.reason == "not-a-countermeasure"]
    assert misplaced == ["D3-ARMA ARMA_Model"]  # an analytic method that lacks the A of its kind's prefix D3A-
    assert (types["defensive-technique"] + len(misplaced), types["digital-artifact"]) == (250, 834)
    relations = Counter(link.relation for link in records.links)
    assert {name: relations[name] for name in ("counters", "acts-on", "affects")} == {
        "counters": 1943,
        "acts-on": 222,
        "affects": 494,
    }
    assert all(one.fields["tactic"] for one in records.entities if one.type == "defensive-technique")
