"""MITRE D3FEND as its ontology (Turtle): countermeasures, digital artifacts, and how both meet ATT&CK techniques.

Files: `ontology`. A countermeasure counters a technique where both name the same artifact: the one in its own statement, the
other in its own or one it inherits from the technique that it is a kind of. D3FEND's own pages also widen artifacts to what
is below them, which links nearly everything to everything; that is not done here.
"""

import re
from typing import Any

from stages.errors import InputError
from stages.ingest.readers.d3fend_ttl.ontology import Ontology, read_ontology
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import clean

_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_MEASURE = re.compile(r"D3-[A-Z0-9]+")
_HEADING = re.compile(r"(?m)^##\s+(.+?):?\s*$")
_ITEM = re.compile(r"(?m)^[ \t]*(?:[-*+]|\d{1,2}\.)[ \t]+")
_NUMBERED = re.compile(r"[ \t]?\[\d{1,2}\](?!\()")
_SITE = "https://d3fend.mitre.org"


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with countermeasures, artifacts, their links, and passages."""
    ontology = read_ontology(files, "ontology")
    if version := ontology.version():
        files.check_version("ontology", version, records.source.version)
    measures = _measures(ontology, records)
    if not measures:
        raise InputError(f"{files.where('ontology')} holds no countermeasure.", allowed="the D3FEND ontology")
    artifacts = ontology.below("DigitalArtifact") | {"DigitalArtifact"}
    for name in sorted(artifacts):
        _add_artifact(name, ontology, artifacts, records)
    for name in sorted(measures):
        _add_measure(name, measures, ontology, artifacts, records)
    techniques = _techniques(ontology, records)
    _add_effects(techniques, ontology, artifacts, records)
    _add_counters(measures, techniques, ontology, artifacts, records)


def _measures(ontology: Ontology, records: Records) -> dict[str, str]:
    """D3FEND id by class. An id of that form on something else (an analytic method) is a slip of the ontology."""
    known = ontology.below("DefensiveTechnique")
    measures = {}
    for name, id in ontology.holders("d3fend-id").items():
        if not id.startswith("D3-"):
            continue  # D3A-: methods of analysis, D3OT-: operational technology; no countermeasures
        if name in known and _MEASURE.fullmatch(id):
            measures[name] = id
        else:
            records.reject(f"{id} {name}", "not-a-countermeasure", f"below {', '.join(ontology.parents(name))}")
    return measures


def _techniques(ontology: Ontology, records: Records) -> dict[str, str]:
    """ATT&CK id by class."""
    techniques = {}
    for name, id in ontology.holders("attack-id").items():
        if _TECHNIQUE.fullmatch(id):
            techniques[name] = id
        else:
            records.reject(f"{id} {name}", "broken-reference", "no ATT&CK technique")
    return techniques


def _add_artifact(name: str, ontology: Ontology, artifacts: set[str], records: Records) -> None:
    label, text = clean(ontology.text(name, "label")), _prose(ontology.text(name, "definition"))
    if not label:
        records.reject(f"artifact {name}", "broken-record", "no label")
        return
    fields = {"synonyms": _synonyms(name, ontology)}
    entity = records.entity(f"d3fend:{name}", "digital-artifact", label, text, f"{_SITE}/dao/artifact/d3f:{name}", fields)
    for parent in ontology.parents(name):
        if parent in artifacts:
            records.link(entity.id, "child-of", f"d3fend:{parent}")
    records.passage(entity, "definition", text)


def _add_measure(name: str, measures: dict[str, str], ontology: Ontology, artifacts: set[str], records: Records) -> None:
    label, text = clean(ontology.text(name, "label")), _prose(ontology.text(name, "definition"))
    if not label or not text:
        records.reject(f"{measures[name]} {label or name}", "empty-text" if label else "broken-record")
        return
    above = [one for one in ontology.above(name) if one in measures]
    acts = [(verb, object) for verb, object in ontology.statements(name) if object in artifacts]
    entity = records.entity(
        f"d3fend:{measures[name]}",
        "defensive-technique",
        label,
        text,
        f"{_SITE}/technique/d3f:{name}",
        {
            "tactic": next((object for one in above for verb, object in ontology.statements(one) if verb == "enables"), ""),
            "category": clean(ontology.text(above[-1], "label")) if len(above) > 1 else "",
            "synonyms": _synonyms(name, ontology),
            "actions": sorted({verb for verb, _ in acts}),
            "kb": [_reference(one, ontology) for one in ontology.named(name, "kb-reference")],
        }
        | _article(ontology.text(name, "kb-article")),
    )
    _link_measure(name, entity, measures, ontology, artifacts, records)
    records.passage(entity, "definition", text)
    for section, title in (("how_it_works", "How it works"), ("considerations", "Considerations")):
        records.passage(entity, section.split("_")[0], entity.fields.get(section, ""), f"{title}: {entity.name}")


def _link_measure(
    name: str, entity: Entity, measures: dict[str, str], ontology: Ontology, artifacts: set[str], records: Records
) -> None:
    for parent in ontology.parents(name):
        if parent in measures:
            records.link(entity.id, "child-of", f"d3fend:{measures[parent]}")
    for verb, object in ontology.statements(name):
        if object in artifacts:
            records.link(entity.id, "acts-on", f"d3fend:{object}", _spoken(verb))
        elif verb != "enables":
            records.reject(f"{entity.id} {verb} {object}", "no-digital-artifact")


def _add_effects(techniques: dict[str, str], ontology: Ontology, artifacts: set[str], records: Records) -> None:
    """What a technique itself does to artifacts."""
    for name, id in sorted(techniques.items()):
        for verb, object in ontology.statements(name):
            if object in artifacts:
                records.link(f"attack:{id}", "affects", f"d3fend:{object}", _spoken(verb))
            elif verb != "enables":
                records.reject(f"attack:{id} {verb} {object}", "no-digital-artifact")


def _add_counters(
    measures: dict[str, str], techniques: dict[str, str], ontology: Ontology, artifacts: set[str], records: Records
) -> None:
    """Pairs that name the same artifact, once each."""
    affected: dict[str, set[str]] = {}
    for name, id in techniques.items():
        for one in ontology.above(name):
            for _, object in ontology.statements(one):
                affected.setdefault(object, set()).add(id)
    pairs = {
        (measures[name], id)
        for name in measures
        for _, object in ontology.statements(name)
        if object in artifacts
        for id in affected.get(object, ())
    }
    for measure, id in sorted(pairs):
        records.link(f"d3fend:{measure}", "counters", f"attack:{id}")


def _article(source: str) -> dict[str, str]:
    """{how_it_works, considerations} of an article in Markdown; its other sections are references and examples."""
    pieces = _HEADING.split(source)
    sections = {head.lower(): _prose(body) for head, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    how = sections.get("how it works") or sections.get("technique overview", "")
    return {"how_it_works": how, "considerations": sections.get("considerations", "")}


def _prose(source: str) -> str:
    """Markdown as prose: one line per item, without the numbers of references that are listed elsewhere."""
    return clean(_NUMBERED.sub("", _ITEM.sub("", source)), markdown=True)


def _synonyms(name: str, ontology: Ontology) -> list[str]:
    return sorted({clean(one) for property in ("synonym", "altLabel") for one in ontology.texts(name, property)})


def _reference(name: str, ontology: Ontology) -> dict[str, Any]:
    """The publication that a countermeasure was described from."""
    title = ontology.text(name, "kb-reference-title") or ontology.text(name, "label").removeprefix("Reference - ")
    values = {"title": clean(title), "link": ontology.text(name, "has-link")}
    return {key: value for key, value in values.items() if value}


def _spoken(verb: str) -> str:
    """`may-modify` as `may modify`; `use-limits` is one verb."""
    return verb.replace("may-", "may ", 1) if verb.startswith("may-") else verb
