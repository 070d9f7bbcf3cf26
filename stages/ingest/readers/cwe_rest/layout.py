"""The parts of CWE's REST records that are read. Keys are those of the interface: `CweID`, `ViewID`, `EntryName`."""

import msgspec


def _rest_name(name: str) -> str:
    """`mapping_notes` as `MappingNotes`, `cwe_id` as `CweID`."""
    pascal = "".join(part.capitalize() for part in name.split("_"))
    return f"{pascal[:-2]}ID" if pascal.endswith("Id") else pascal


class Version(msgspec.Struct, rename=_rest_name):
    """Of the whole repository: `cwev.json`."""

    content_version: str


class Member(msgspec.Struct, rename=_rest_name):
    """A member of a category or view."""

    cwe_id: str


class Related(msgspec.Struct, rename=_rest_name):
    """A related weakness, as one view has it."""

    nature: str
    cwe_id: str
    view_id: str = ""


class Platform(msgspec.Struct, rename=_rest_name):
    """A language, technology, operating system or architecture, by name or by class."""

    name: str = ""
    class_: str = msgspec.field(name="Class", default="")


class Term(msgspec.Struct, rename=_rest_name):
    """Another name."""

    term: str
    description: str = ""


class Introduction(msgspec.Struct, rename=_rest_name):
    """When it is introduced."""

    phase: str
    note: str = ""


class Consequence(msgspec.Struct, rename=_rest_name):
    """What follows from it."""

    scope: list[str] = []
    impact: list[str] = []
    note: str = ""


class Detection(msgspec.Struct, rename=_rest_name):
    """How it is found."""

    method: str
    description: str = ""
    effectiveness: str = ""


class Mitigation(msgspec.Struct, rename=_rest_name):
    """How it is prevented."""

    phase: list[str] = []
    strategy: str = ""
    description: str = ""
    effectiveness: str = ""


class Entry(msgspec.Struct, rename=_rest_name):
    """A piece of an example: an introduction, code, or an explanation."""

    intro_text: str = ""
    nature: str = ""
    language: str = ""
    example_code: str = ""
    body_text: str = ""


class Example(msgspec.Struct, rename=_rest_name):
    """A demonstrative example."""

    entries: list[Entry] = []


class Observed(msgspec.Struct, rename=_rest_name):
    """A vulnerability of this kind."""

    reference: str
    description: str = ""


class Taxonomy(msgspec.Struct, rename=_rest_name):
    """The same in another taxonomy."""

    taxonomy_name: str = ""
    entry_id: str = ""
    entry_name: str = ""


class Note(msgspec.Struct, rename=_rest_name):
    """A remark."""

    type: str = ""
    note: str = ""


class Ordinality(msgspec.Struct, rename=_rest_name):
    """Primary, Resultant or Indirect."""

    ordinality: str


class Suggestion(msgspec.Struct, rename=_rest_name):
    """Where to map instead."""

    cwe_id: str
    comment: str = ""


class MappingNotes(msgspec.Struct, rename=_rest_name):
    """Whether vulnerabilities may be mapped to the entry."""

    usage: str = ""
    rationale: str = ""
    comments: str = ""
    reasons: list[str] = []
    suggestions: list[Suggestion] = []


class WeaknessRecord(msgspec.Struct, rename=_rest_name):
    """`W/<number>.json`."""

    id: str
    name: str
    description: str
    abstraction: str = ""
    structure: str = ""
    status: str = ""
    extended_description: str = ""
    likelihood_of_exploit: str = ""
    background_details: list[str] = []
    functional_areas: list[str] = []
    affected_resources: list[str] = []
    related_attack_patterns: list[str] = []
    related_weaknesses: list[Related] = []
    weakness_ordinalities: list[Ordinality] = []
    applicable_platforms: list[Platform] = []
    alternate_terms: list[Term] = []
    modes_of_introduction: list[Introduction] = []
    common_consequences: list[Consequence] = []
    detection_methods: list[Detection] = []
    potential_mitigations: list[Mitigation] = []
    demonstrative_examples: list[Example] = []
    observed_examples: list[Observed] = []
    taxonomy_mappings: list[Taxonomy] = []
    notes: list[Note] = []
    mapping_notes: MappingNotes | None = None


class GroupRecord(msgspec.Struct, rename=_rest_name):
    """`C/<number>.json` (a summary and relationships) or `V/<number>.json` (an objective and members)."""

    id: str
    name: str
    status: str = ""
    type: str = ""
    summary: str = ""
    objective: str = ""
    relationships: list[Member] = []
    members: list[Member] = []
    mapping_notes: MappingNotes | None = None
