"""NIST SP 800-53 as an OSCAL catalogue.

Files: `catalogue`. Organisation-defined parameters are written out as prose: `an organization-defined
frequency`, and choices as `a, b or c`.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean

SUPPORTED = "5"
_INSERT = re.compile(r"\{\{\s*insert:\s*param,\s*([\w.\-]+)\s*\}\}")
_PLURAL = re.compile(
    r"(?:[^s]s|personnel|information|equipment|software|media|data|criteria)(?: (?:or|and|/|for|of|to|in|that|by|with|on) .*|,.*|\s*\(.*)?$"
)
_GRAMMAR = (  # what a value in brackets need not fit into, and prose must
    (re.compile(r"\ba (?=an organization-defined)", re.IGNORECASE), ""),
    (re.compile(r"\b(an|the|any|each|every|all|no|other|same|its|their) an (?=organization-defined)", re.IGNORECASE), r"\1 "),
    (
        re.compile(r"(?<!\bat)(?<!\bleast)(?<!\bwith)(?<!\ba) an organization-defined frequency"),
        " at an organization-defined frequency",
    ),
    (re.compile(r"\borganization-defined number (?!of\b|and\b|or\b)(?=[a-z])"), "organization-defined number of "),
)
_DEPTH = 4  # parameters may name parameters; deeper than this is a loop


class Prop(msgspec.Struct):
    """A name and a value; labels exist in several spellings, told apart by class."""

    name: str
    value: str
    kind: str = msgspec.field(name="class", default="")


class Part(msgspec.Struct):
    """A part of a control's text."""

    name: str
    prose: str = ""
    props: list[Prop] = []
    parts: list["Part"] = []


class Ref(msgspec.Struct):
    """A link to another control or to a reference."""

    href: str
    rel: str = ""


class Parameter(msgspec.Struct):
    """An organisation-defined value: a label, or a choice."""

    id: str
    label: str = ""
    select: dict[str, Any] = {}


class Control(msgspec.Struct):
    """A control, or an enhancement of one."""

    id: str
    title: str
    params: list[Parameter] = []
    props: list[Prop] = []
    links: list[Ref] = []
    parts: list[Part] = []
    controls: list["Control"] = []


class Group(msgspec.Struct):
    """A family of controls."""

    id: str
    title: str
    controls: list[msgspec.Raw] = []


class Metadata(msgspec.Struct):
    """Version of the publication and of OSCAL."""

    version: str


class Catalog(msgspec.Struct):
    """The catalogue."""

    metadata: Metadata
    groups: list[Group]


class Document(msgspec.Struct):
    """The file."""

    catalog: Catalog


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with controls, their relations, and passages."""
    catalog = files.decode("catalogue", Document).catalog
    files.check_version("catalogue", catalog.metadata.version, SUPPORTED)
    families = [(group.title, top) for group in catalog.groups for top in records.convert(group.controls, Control)]
    if not families:
        raise InputError(f"{files.where('catalogue')} holds no controls.", remedy="Pin a whole file.")
    controls = [(family, control, parent) for family, top in families for control, parent in _walk(top, "")]
    ids = {control.id: f"nist:{_label(control)}" for _, control, _ in controls}
    parameters = {parameter.id: parameter for _, control, _ in controls for parameter in control.params}
    for family, control, parent in controls:
        _add(control, family, parent, ids, parameters, records)


def _walk(control: Control, parent: str) -> Iterator[tuple[Control, str]]:
    yield control, parent
    for inner in control.controls:
        yield from _walk(inner, control.id)


def _label(control: Control) -> str:
    labels = [prop.value for prop in control.props if prop.name == "label" and not prop.kind]
    return labels[0] if labels else control.id.upper()


def _add(
    control: Control, family: str, parent: str, ids: dict[str, str], parameters: dict[str, Parameter], records: Records
) -> None:
    statement = "\n".join(line for part in control.parts if part.name == "statement" for line in _lines(part, parameters))
    guidance = "\n".join(clean(_filled(part.prose, parameters)) for part in control.parts if part.name == "guidance")
    withdrawn = any(prop.name == "status" and prop.value == "withdrawn" for prop in control.props)
    moved = [ids[ref.href[1:]] for ref in control.links if ref.rel in ("incorporated-into", "moved-to") and ref.href[1:] in ids]
    entity = records.entity(
        ids[control.id],
        "control",
        clean(control.title),
        statement,
        f"https://csrc.nist.gov/projects/cprt/catalog#/cprt/framework/version/SP_800_53_{records.source.version.replace('.', '_')}/home",
        {
            "family": family,
            "guidance": guidance,
            "enhances": ids.get(parent, ""),
            "withdrawn": withdrawn or None,
            "moved_to": moved,
        },
        deprecated=withdrawn,
        revoked_by=moved[0] if withdrawn and len(moved) == 1 else "",
    )
    if parent and not withdrawn:
        records.link(entity.id, "child-of", ids[parent])
    for ref in control.links:
        if ref.rel == "related" and ref.href[1:] in ids:
            records.link(entity.id, "related-to", ids[ref.href[1:]])
    records.passage(entity, "statement", statement)
    records.passage(entity, "guidance", guidance, f"Discussion of {entity.id.split(':')[1]} {entity.name}")


def _lines(part: Part, parameters: dict[str, Parameter]) -> list[str]:
    """Statement and its items, each with its label."""
    label = next((prop.value for prop in part.props if prop.name == "label"), "")
    own = clean(_filled(part.prose, parameters))
    lines = [f"{label} {own}".strip()] if own else []
    return lines + [line for inner in part.parts for line in _lines(inner, parameters)]


def _filled(prose: str, parameters: dict[str, Parameter]) -> str:
    for _ in range(_DEPTH):
        if "{{" not in prose:
            break
        prose = _INSERT.sub(lambda match: _value(match.group(1), parameters), prose)
    for pattern, mended in _GRAMMAR:
        prose = pattern.sub(mended, prose)
    return prose


def _value(id: str, parameters: dict[str, Parameter]) -> str:
    parameter = parameters.get(id)
    if parameter is None:
        return "an organization-defined value"
    choices = [str(choice).strip() for choice in parameter.select.get("choice", [])]
    if choices:
        return _choice(choices, "and/or" if parameter.select.get("how-many") == "one-or-more" else "or")
    label = (parameter.label or "value").removeprefix("organization-defined ").strip()
    return f"{'' if _PLURAL.search(label) else 'an '}organization-defined {label}"


def _choice(choices: list[str], last: str) -> str:
    """`a, b or c`."""
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} {last} {choices[-1]}"
