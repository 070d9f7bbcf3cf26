"""The parts of CAPEC's STIX objects that are read."""

import re

import msgspec

_ID = re.compile(r"CAPEC-[0-9]{1,6}")
_STIX = {"id", "name", "description", "external_references"}


def _stix_name(name: str) -> str:
    return name if name in _STIX else f"x_capec_{name}"


class Bundle(msgspec.Struct):
    """The file: objects unread, so that a broken one is one reject."""

    type: str
    objects: list[msgspec.Raw]


class Kind(msgspec.Struct):
    """What any object says first."""

    type: str


class Reference(msgspec.Struct):
    """Where else a pattern is known; its own id is the one of the source `capec`."""

    source_name: str
    external_id: str = ""
    description: str = ""


class Measure(msgspec.Struct):
    """A course of action: the text of a mitigation, named `coa-<pattern>-<number>`."""

    id: str
    name: str
    description: str = ""


class Relationship(msgspec.Struct):
    """Which measure mitigates which pattern."""

    relationship_type: str
    source_ref: str
    target_ref: str


class Pattern(msgspec.Struct, rename=_stix_name):
    """One attack pattern; most of it is in properties of CAPEC's own, `x_capec_...`."""

    id: str
    name: str
    external_references: list[Reference]
    status: str
    description: str = ""
    version: str = ""
    abstraction: str = ""
    extended_description: str = ""
    alternate_terms: list[str] = []
    domains: list[str] = []
    prerequisites: list[str] = []
    typical_severity: str = ""
    likelihood_of_attack: str = ""
    skills_required: dict[str, str] = {}
    resources_required: list[str] = []
    consequences: dict[str, list[str]] = {}
    example_instances: list[str] = []
    execution_flow: str = ""
    child_of_refs: list[str] = []
    can_precede_refs: list[str] = []
    can_follow_refs: list[str] = []
    peer_of_refs: list[str] = []

    @property
    def key(self) -> str:
        """`CAPEC-66`, or empty if the pattern does not say."""
        own = (one.external_id for one in self.external_references if one.source_name == "capec")
        return next((key for key in own if _ID.fullmatch(key)), "")
