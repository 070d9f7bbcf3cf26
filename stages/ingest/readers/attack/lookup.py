"""The compact STIX lookup of one ATT&CK release: seven JSON files, read into one list of objects and one of relationships."""

from typing import Any

import msgspec

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles


class Relationship(msgspec.Struct):
    """A STIX relationship; descriptions are cut at 200 characters and then end with dots."""

    relationship_type: str
    source_ref: str
    target_ref: str
    description: str = ""
    revoked: bool = False
    deprecated: bool = False


class LogSource(msgspec.Struct):
    """Where an analytic looks."""

    component: str = msgspec.field(name="x_mitre_data_component_ref", default="")
    name: str = ""
    channel: str | None = ""


class Analytic(msgspec.Struct):
    """One way to detect, for some platforms."""

    stix_id: str
    external_id: str
    description: str = ""
    platforms: list[str] = []
    log_source_references: list[LogSource] = []


class Item(msgspec.Struct):
    """Any named object of the lookup."""

    stix_id: str
    external_id: str
    name: str
    description: str | None = ""
    url: str = ""
    stix_type: str = ""
    created: str = ""
    first_seen: str = ""
    last_seen: str = ""
    shortname: str = ""
    platforms: list[str] = []
    tactics: list[str] = []
    aliases: list[str] = []
    analytic_refs: list[str] = []
    log_sources: list[dict[str, Any]] = []
    is_subtechnique: bool | None = None
    is_family: bool | None = None
    revoked: bool = False
    deprecated: bool = False


class Object(msgspec.Struct):
    """An object with its entity type and the fields of that type."""

    stix_id: str
    external_id: str
    type: str
    name: str
    description: str
    url: str
    created: str
    revoked: bool
    deprecated: bool
    fields: dict[str, Any]
    analytics: list[str]


class Lookup(msgspec.Struct):
    """One release."""

    objects: list[Object]
    relationships: list[Relationship]
    analytics: dict[str, Analytic]  # by STIX id
    tactics: dict[str, str]  # entity id by short name


_FILES = {
    "attack-patterns": {"attack_patterns": "technique"},
    "mitigations": {"mitigations": "mitigation"},
    "software": {"software": ""},
    "groups-campaigns": {"groups_campaigns": ""},
    "infrastructure": {"tactics": "tactic"},
    "detection-objects": {"detection_strategies": "detection-strategy", "data_components": "data-component"},
}
_STIX_TYPES = {"intrusion-set": "group", "campaign": "campaign", "malware": "malware", "tool": "tool"}


def read_lookup(files: SourceFiles, records: Records) -> Lookup:
    """All files of the folder `lookup`. InputError if one is missing, empty, of another layout or another release."""
    documents = _documents(files)
    objects: list[Object] = []
    for kind, lists in _FILES.items():
        for key, type in lists.items():
            raws = _list(files, documents, kind, key)
            objects += [_object(item, type) for item in records.convert(raws, Item)]
    analytics = {a.stix_id: a for a in records.convert(_list(files, documents, "detection-objects", "analytics"), Analytic)}
    relationships = list(records.convert(_list(files, documents, "relationships", "relationships"), Relationship))
    tactics = {item.fields["shortname"]: f"attack:{item.external_id}" for item in objects if item.type == "tactic"}
    return Lookup(objects=objects, relationships=relationships, analytics=analytics, tactics=tactics)


def _documents(files: SourceFiles) -> dict[str, dict[str, msgspec.Raw]]:
    version = files.source.version
    suffix = f"-lookup-v{version}.json"
    found = {
        name.rsplit("/", 1)[-1].removesuffix(suffix): content for name, content in files.members("lookup", f"*{suffix}").items()
    }
    missing = sorted({*_FILES, "relationships"} - set(found))
    if missing:
        others = sorted(name.rsplit("/", 1)[-1] for name in files.members("lookup", "*.json"))
        raise InputError(
            f"{files.where('lookup')} has no {', '.join(kind + suffix for kind in missing)}; it holds {', '.join(others) or 'no JSON'}.",
            allowed=f"the files of ATT&CK release {version}, as params.yaml declares",
            remedy=f"Set ingest.sources.{files.name}.version to the release in the file, or pin the other file.",
        )
    try:
        return {kind: msgspec.json.decode(content, type=dict[str, msgspec.Raw]) for kind, content in found.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{files.where('lookup')} holds a file that is not JSON: {error}", remedy="Pin a whole file.") from error


def _list(files: SourceFiles, documents: dict[str, dict[str, msgspec.Raw]], kind: str, key: str) -> list[msgspec.Raw]:
    try:
        values = msgspec.json.decode(documents[kind][key], type=list[msgspec.Raw])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        values = []
    if not values:
        raise InputError(
            f"{files.where('lookup')}: {kind} holds no list `{key}`, or an empty one; keys: {', '.join(sorted(documents[kind]))}.",
            allowed="the layout that stages/ingest/readers/attack/lookup.py knows",
            remedy="Pin the version that the reader knows (git log params.yaml), or extend the reader.",
        )
    return values


def _object(item: Item, type: str) -> Object:
    fields = {
        "platforms": item.platforms,
        "tactics": item.tactics,
        "aliases": [alias for alias in item.aliases if alias != item.name],
        "is_subtechnique": item.is_subtechnique,
        "is_family": item.is_family,
        "first_seen": item.first_seen[:10],
        "last_seen": item.last_seen[:10],
        "shortname": item.shortname,
        "log_sources": item.log_sources,
    }
    return Object(
        stix_id=item.stix_id,
        external_id=item.external_id,
        type=type or _STIX_TYPES.get(item.stix_type, item.stix_type),
        name=item.name,
        description=item.description or "",
        url=item.url,
        created=item.created,
        revoked=item.revoked,
        deprecated=item.deprecated,
        fields=fields,
        analytics=item.analytic_refs,
    )
