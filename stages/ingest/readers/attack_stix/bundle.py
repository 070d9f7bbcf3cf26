"""One ATT&CK bundle of one domain, of STIX 2.0 or 2.1 (2.0 states its version on the bundle, 2.1 on each object)."""

from collections import Counter

import msgspec

from stages.errors import InputError
from stages.ingest.readers.attack.lookup import LogSource
from stages.ingest.records import Records, SourceFiles

TYPES = {  # entity type by STIX type
    "attack-pattern": "technique",
    "x-mitre-tactic": "tactic",
    "course-of-action": "mitigation",
    "intrusion-set": "group",
    "malware": "malware",
    "tool": "tool",
    "campaign": "campaign",
    "x-mitre-asset": "asset",
    "x-mitre-analytic": "analytic",
    "x-mitre-data-component": "data-component",
    "x-mitre-detection-strategy": "detection-strategy",
}
_FRAME = ("x-mitre-matrix", "x-mitre-collection", "x-mitre-data-source", "identity", "marking-definition")  # no entities
DOMAINS = {"enterprise-attack": "enterprise", "mobile-attack": "mobile", "ics-attack": "ics"}  # the first of an object is its own
CHAINS = {"mitre-attack": "enterprise", "mitre-mobile-attack": "mobile", "mitre-ics-attack": "ics"}


class Reference(msgspec.Struct):
    """Where an object is described, and its id there."""

    source_name: str = ""
    external_id: str = ""
    url: str = ""


class Phase(msgspec.Struct):
    """A tactic by short name, in the kill chain of a domain."""

    kill_chain_name: str
    phase_name: str


class RelatedAsset(msgspec.Struct):
    """Another name under which a sector knows an asset."""

    name: str
    related_asset_sectors: list[str] = []
    description: str = ""


class Tunable(msgspec.Struct):
    """What each site has to set in an analytic."""

    field: str
    description: str = ""


class Item(msgspec.Struct, rename=lambda name: name.replace("mitre_", "x_mitre_", 1) if name.startswith("mitre_") else name):
    """Any STIX object of ATT&CK. Relationships have both ends, all others an id of ATT&CK among their references."""

    type: str
    id: str
    name: str = ""
    description: str = ""
    created: str = ""
    revoked: bool = False
    mitre_deprecated: bool = False
    external_references: list[Reference] = []
    mitre_domains: list[str] = []
    mitre_version: str = ""
    relationship_type: str = ""
    source_ref: str = ""
    target_ref: str = ""
    kill_chain_phases: list[Phase] = []
    aliases: list[str] = []
    mitre_aliases: list[str] = []
    mitre_platforms: list[str] = []
    first_seen: str = ""
    last_seen: str = ""
    is_family: bool | None = None
    mitre_is_subtechnique: bool | None = None
    mitre_shortname: str = ""
    mitre_detection: str = ""
    mitre_permissions_required: list[str] = []
    mitre_effective_permissions: list[str] = []
    mitre_system_requirements: list[str] = []
    mitre_defense_bypassed: list[str] = []
    mitre_impact_type: list[str] = []
    mitre_tactic_type: list[str] = []
    mitre_remote_support: bool | None = None
    mitre_network_requirements: bool | None = None
    mitre_sectors: list[str] = []
    mitre_related_assets: list[RelatedAsset] = []
    mitre_analytic_refs: list[str] = []
    mitre_log_source_references: list[LogSource] = []
    mitre_log_sources: list[LogSource] = []
    mitre_mutable_elements: list[Tunable] = []
    mitre_data_source_ref: str = ""

    @property
    def withdrawn(self) -> bool:
        """Revoked (has a successor) or deprecated (has none)."""
        return self.revoked or self.mitre_deprecated

    @property
    def reference(self) -> Reference:
        """The object's page at ATT&CK, or an empty reference."""
        return next((ref for ref in self.external_references if ref.source_name in CHAINS and ref.external_id), Reference())


class Document(msgspec.Struct):
    """The file."""

    type: str
    objects: list[msgspec.Raw]


class Bundle(msgspec.Struct):
    """One release of one domain."""

    domain: str  # enterprise, mobile or ics
    objects: dict[str, Item]  # everything with an entity type, by STIX id
    relationships: list[Item]
    data_sources: dict[str, str]  # names by STIX id: before v18 each data component belonged to one


def read_bundle(files: SourceFiles, records: Records) -> Bundle:
    """The bundle `bundle`. InputError if it is none, holds no technique, or states another release than is declared."""
    document = files.decode("bundle", Document)
    items = list(records.convert(document.objects, Item))
    domain = _domain(items)
    if document.type != "bundle" or not domain:
        raise InputError(
            f"{files.where('bundle')} is no ATT&CK bundle: of type {document.type[:40]!r}, {len(items):,} objects, none a technique.",
            allowed="a STIX 2.0 or 2.1 bundle of the enterprise, mobile or ICS domain",
            remedy=f"Mend `ingest.sources.{files.name}.files.bundle` in params.yaml.",
        )
    _check_release(items, files)
    objects: dict[str, Item] = {}
    for item in items:
        if item.type in TYPES and item.id not in objects:
            objects[item.id] = item
        elif item.type in TYPES:
            records.reject(f"{item.id} {item.name}", "duplicate-id", "an object of this id came before")
        elif item.type not in _FRAME and item.type != "relationship":
            records.reject(item.id, "unknown-type", item.type)
    return Bundle(
        domain=domain,
        objects=objects,
        relationships=[item for item in items if item.type == "relationship"],
        data_sources={item.id: item.name for item in items if item.type == "x-mitre-data-source"},
    )


def _domain(items: list[Item]) -> str:
    """The domain whose kill chain most techniques name, or nothing."""
    named = Counter(phase.kill_chain_name for item in items for phase in item.kill_chain_phases)
    chain = max(CHAINS, key=lambda chain: named[chain])
    return CHAINS[chain] if named[chain] else ""


def _check_release(items: list[Item], files: SourceFiles) -> None:
    """Only bundles of STIX 2.1 state their release, in their collection."""
    for item in items:
        if item.type == "x-mitre-collection" and item.mitre_version:
            files.check_version("bundle", item.mitre_version, files.source.version)
