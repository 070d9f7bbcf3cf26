"""MITRE ATLAS: attacks on systems that use artificial intelligence, with case studies step by step.

Files: `atlas` (ATLAS.yaml). A sub-technique has the tactics of the technique it belongs to, which the file states
only there. References to ATT&CK become links.
"""

import datetime
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from stages.ingest.containers import Member
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import clean

SUPPORTED = "5"
_PAGE = "https://atlas.mitre.org"
_NOTE = re.compile(r"(?m)^ {0,8}\[[^\]\n]{1,80}\]: {1,3}\S{1,2000}(?: \"[^\"]{0,300}\")? {0,8}$")  # `[1]: https://... "Title"`
_NOTE_MARK = re.compile(  # `[\[1\]][1]`, `[<sup>\[1\]</sup>][1]`, `[[1]](https://...)`
    r"(?:<sup>)?(?:\[(?:<sup>)?\\\[\d+\\\](?:</sup>)?\](?:\[[^\]\n]+\])?|\[\[\d+\]\]\([^()\s]*\))(?:</sup>)?"
)
_NOTE_WORDS = re.compile(r"\[([^\[\]\n]+)\]\[[^\[\]\n]+\]")  # `[words][1]`
_LINK_SPACE = re.compile(r"\]\(\s{1,3}(?=https?://)")
Row = TypeVar("Row", bound=msgspec.Struct)


class AttackReference(msgspec.Struct):
    """The object of ATT&CK that this one adapts."""

    id: str


class Common(msgspec.Struct, rename={"attack": "ATT&CK-reference"}):
    """What tactics, techniques and mitigations say."""

    id: str
    name: str
    description: str
    created_date: datetime.date | None = None
    attack: AttackReference | None = None


class Technique(Common, rename={"attack": "ATT&CK-reference", "parent": "subtechnique-of"}):
    """A technique, or a sub-technique, which names no tactics of its own."""

    tactics: list[str] = []
    parent: str = ""
    maturity: str = ""


class Use(msgspec.Struct):
    """How a mitigation helps against a technique."""

    id: str
    use: str = ""


class Mitigation(Common, rename={"attack": "ATT&CK-reference", "lifecycle": "ml-lifecycle"}):
    """A mitigation."""

    techniques: list[Use] = []
    category: list[str] = []
    lifecycle: list[Any] = []  # release 5.6.0 has a use of a technique in two of these lists


class Step(msgspec.Struct):
    """One step of a case."""

    technique: str
    tactic: str = ""
    description: str = ""


class CaseStudy(msgspec.Struct, rename={"date": "incident-date", "kind": "case-study-type"}):
    """An incident, or an exercise."""

    id: str
    name: str
    summary: str
    procedure: list[Step]
    date: datetime.date | None = None
    target: str = ""
    actor: str = ""
    kind: str = ""


class Matrix(msgspec.Struct):
    """Lists are read record by record."""

    tactics: list[Any]
    techniques: list[Any]
    mitigations: list[Any]


class Document(msgspec.Struct, rename={"case_studies": "case-studies"}):
    """The file."""

    version: str
    matrices: list[Matrix]
    case_studies: list[Any] = []


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with tactics, techniques, mitigations and case studies, and passages."""
    document = records.decode_yaml(Member(files.where("atlas"), files.read("atlas")), Document)
    if document is None:
        return
    files.check_version("atlas", document.version, SUPPORTED)
    for matrix in document.matrices:
        _add_matrix(matrix, records)
    for study in _converted(document.case_studies, CaseStudy, records):
        _add_study(study, records)


def _converted(values: list[Any], layout: type[Row], records: Records) -> Iterator[Row]:
    """The records that have the layout; each of the others is one reject."""
    for number, value in enumerate(values):
        try:
            yield msgspec.convert(value, type=layout, strict=False)
        except (msgspec.ValidationError, RecursionError) as error:
            label = value.get("id", number) if isinstance(value, dict) else number
            records.reject(f"{layout.__name__} {label}", "broken-record", str(error))


def _add_matrix(matrix: Matrix, records: Records) -> None:
    for tactic in _converted(matrix.tactics, Common, records):
        _add(tactic, "ai-tactic", "tactics", {}, records)
    techniques = list(_converted(matrix.techniques, Technique, records))
    parents = {technique.id: technique for technique in techniques}
    for technique in techniques:
        _add_technique(technique, parents.get(technique.parent), records)
    for mitigation in _converted(matrix.mitigations, Mitigation, records):
        fields = {
            "category": mitigation.category,
            "lifecycle": [phase for phase in mitigation.lifecycle if isinstance(phase, str)],
        }
        entity = _add(mitigation, "ai-mitigation", "mitigations", fields, records)
        for phase in mitigation.lifecycle:
            if not isinstance(phase, str):
                records.reject(f"{mitigation.id} lifecycle", "misplaced-record", str(phase))
        for use in mitigation.techniques:
            records.link(entity.id, "mitigates", f"atlas:{use.id}", _prose(use.use))


def _add_technique(technique: Technique, parent: Technique | None, records: Records) -> None:
    tactics = technique.tactics or (parent.tactics if parent else [])
    fields = {"tactics": tactics, "maturity": technique.maturity, "is_subtechnique": bool(technique.parent)}
    entity = _add(technique, "ai-technique", "techniques", fields, records)
    for tactic in tactics:
        records.link(entity.id, "achieves", f"atlas:{tactic}")
    if technique.parent:
        records.link(entity.id, "subtechnique-of", f"atlas:{technique.parent}")


def _add(row: Common, type: str, site: str, fields: dict[str, Any], records: Records) -> Entity:
    text = _prose(row.description)
    attack = row.attack.id if row.attack else ""
    entity = records.entity(
        f"atlas:{row.id}",
        type,
        clean(row.name),
        text,
        f"{_PAGE}/{site}/{row.id}",
        fields | {"attack": attack},
        published=_iso(row.created_date),
    )
    if attack:
        records.link(entity.id, "corresponds-to", f"attack:{attack}")
    records.passage(entity, "description", text)
    return entity


def _add_study(study: CaseStudy, records: Records) -> None:
    text = _prose(study.summary)
    steps = [{"technique": step.technique, "tactic": step.tactic, "text": _prose(step.description)} for step in study.procedure]
    entity = records.entity(
        f"atlas:{study.id}",
        "case-study",
        clean(study.name),
        text,
        f"{_PAGE}/studies/{study.id}",
        {"steps": steps, "target": clean(study.target), "actor": clean(study.actor), "kind": study.kind},
        published=_iso(study.date),
    )
    for step in steps:
        records.link(entity.id, "uses", f"atlas:{step['technique']}", step["text"])
    records.passage(entity, "summary", text)
    records.passage(entity, "procedure", "\n".join(step["text"] for step in steps if step["text"]), f"Procedure of {entity.name}")


def _prose(text: str) -> str:
    """Clean text; of footnotes nothing, of words that refer to one the words remain."""
    text = _NOTE_MARK.sub("", _NOTE.sub("", text))
    return clean(_LINK_SPACE.sub("](", _NOTE_WORDS.sub(r"\1", text)), markdown=True)


def _iso(date: datetime.date | None) -> str:
    return date.isoformat() if date else ""
