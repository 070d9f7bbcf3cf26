"""Threat actors of the MISP galaxy: the names that vendors give them, and what they are suspected of.

Files: `actors` (threat-actor.json in the archive of the galaxy's clusters) and `groups` (mitre-intrusion-set.json
there, for the names of ATT&CK's groups). An actor is the same as an ATT&CK group if they share a name. Where it shares names with
several groups, it is the one with its main name, or the one whose ATT&CK id is among its names; else it is none.
"""

import re
from typing import Any

import msgspec

from stages.ingest.galaxy import Cluster
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean, tidy

PATTERNS = {"actors": "*clusters/threat-actor.json", "groups": "*clusters/mitre-intrusion-set.json"}
_PAGE = "https://www.misp-galaxy.org/threat-actor/"
_GROUP_ID = re.compile(r"G\d{4}")
_ORIGIN = "origin:"  # `origin:FIN7: Mandiant`: whose name it is

Words = list[str] | str


class ActorMeta(msgspec.Struct, rename="kebab"):
    """What is said of an actor; some say as one string what others say as a list."""

    synonyms: Words = []
    country: str = ""
    motive: str = ""
    name_attribution: list[str] = []
    cfr_suspected_state_sponsor: str = ""
    cfr_suspected_victims: Words = []
    cfr_target_category: Words = []
    cfr_type_of_incident: Words = []
    targeted_sector: Words = []


class Actor(msgspec.Struct):
    """One actor."""

    uuid: str
    value: str
    description: str = ""
    meta: ActorMeta = msgspec.field(default_factory=ActorMeta)


class Named(msgspec.Struct):
    """Everything that the meta of an actor says, for keys that are themselves names."""

    meta: dict[str, Any] = {}


class GroupMeta(msgspec.Struct):
    """Id and other names."""

    external_id: str
    synonyms: list[str] = []


class Group(msgspec.Struct):
    """One group of ATT&CK; its id stands behind its name."""

    value: str
    meta: GroupMeta

    @property
    def name(self) -> str:
        """The name alone."""
        return self.value.removesuffix(f" - {self.meta.external_id}").strip()


class Groups:
    """ATT&CK groups by name: which bear it as main name, which at all."""

    def __init__(self) -> None:
        self.main: dict[str, set[str]] = {}
        self.any: dict[str, set[str]] = {}

    def add(self, group: Group) -> None:
        """Learn the names of one group."""
        self.main.setdefault(group.name.casefold(), set()).add(group.meta.external_id)
        for name in {group.name, *group.meta.synonyms}:
            self.any.setdefault(name.casefold(), set()).add(group.meta.external_id)

    def same_as(self, main: str, names: set[str]) -> set[str]:
        """The groups that share a name with an actor: none, one, or several if nothing decides between them."""
        shared = {id for name in names for id in self.any.get(name.casefold(), ())}
        for preferred in (self.main.get(main.casefold(), set()), shared & names):
            if len(shared) > 1 and len(preferred) == 1:
                return preferred
        return shared


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with actors, the groups of ATT&CK that they are, and passages."""
    groups = Groups()
    for group in records.convert(_values("groups", files, records), Group):
        groups.add(group)
    for number, raw in enumerate(_values("actors", files, records)):
        for actor in records.convert([raw], Actor, number):
            _add(actor, _vendors(raw), groups, records)


def _values(role: str, files: SourceFiles, records: Records) -> list[msgspec.Raw]:
    members = files.each(role, records, PATTERNS[role])
    clusters = [cluster for member in members if (cluster := records.decode_json(member, Cluster))]
    return [value for cluster in clusters for value in cluster.values]


def _vendors(raw: msgspec.Raw) -> dict[str, str]:
    """Who uses which name, where it is said."""
    meta = msgspec.json.decode(raw, type=Named).meta
    pairs = {key.removeprefix(_ORIGIN): value for key, value in meta.items() if key.startswith(_ORIGIN)}
    return {tidy(name): tidy(vendor) for name, vendor in sorted(pairs.items()) if isinstance(vendor, str)}


def _add(actor: Actor, vendors: dict[str, str], groups: Groups, records: Records) -> None:
    name, meta = clean(actor.value), actor.meta
    if not name or not actor.uuid:
        records.reject(f"{actor.uuid} {actor.value}", "no-name" if actor.uuid else "no-id")
        return
    text = clean(actor.description, markdown=True)
    attributed = {tidy(entry.rsplit(":", 1)[0]) for entry in meta.name_attribution}
    names = {tidy(synonym) for synonym in _listed(meta.synonyms)} | attributed | set(vendors)
    entity = records.entity(
        f"misp-actor:{actor.uuid}",
        "threat-actor",
        name,
        text,
        f"{_PAGE}#{re.sub(r'[^a-z0-9]+', '-', name.casefold()).strip('-')}",
        {
            "synonyms": sorted(other for other in names - {name, ""} if not _GROUP_ID.fullmatch(other)),
            "vendors": vendors,
            "country": meta.country,
            "sponsor": tidy(meta.cfr_suspected_state_sponsor),
            "motive": clean(meta.motive),
            "incident_types": _listed(meta.cfr_type_of_incident),
            "targets": sorted({*_listed(meta.cfr_target_category), *_listed(meta.targeted_sector)}),
            "victims": _listed(meta.cfr_suspected_victims),
        },
    )
    _add_group(entity.id, name, {name} | names, groups, records)
    records.passage(entity, "description", text, name)


def _add_group(id: str, name: str, names: set[str], groups: Groups, records: Records) -> None:
    same = groups.same_as(name, names)
    if len(same) > 1:
        records.reject(f"{id} {name}", "ambiguous-alias", ", ".join(sorted(same)))
    for group in same if len(same) == 1 else ():
        records.link(id, "same-as", f"attack:{group}")


def _listed(value: Words) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value)
