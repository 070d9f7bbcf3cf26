"""MITRE ATT&CK: every object of a domain's bundle as an entity, with its links and passages.

Files: `bundle` (enterprise, mobile or ICS; STIX 2.0 or 2.1). Entities are the same as those of the reader `attack`,
with whole texts. Both layouts of detection are read: detection strategies with analytics that name data components
and log sources (since v18), and data components that detect techniques (before; derived since). A bundle also holds
what it shares with other domains; such an object has the same domain in each (enterprise before mobile before ICS),
all in `domains`, and its passages come from the bundle of its own domain.
"""

import re
from typing import Any

from stages.ingest.readers.attack.lookup import LogSource
from stages.ingest.readers.attack.objects import add_passages
from stages.ingest.readers.attack_stix.bundle import DOMAINS, TYPES, Bundle, Item, read_bundle
from stages.ingest.readers.attack_stix.links import add_links, current
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean

_NOTHING = "None"  # what releases write into platforms and channels where there are none
_ID = {
    "technique": re.compile(r"T\d{4}(?:\.\d{3})?"),
    "tactic": re.compile(r"TA\d{4}"),
    "mitigation": re.compile(r"M\d{4}"),
    "group": re.compile(r"G\d{4}"),
    "malware": re.compile(r"S\d{4}"),
    "tool": re.compile(r"S\d{4}"),
    "campaign": re.compile(r"C\d{4}"),
    "asset": re.compile(r"A\d{4}"),
    "analytic": re.compile(r"AN\d{4}"),
    "data-component": re.compile(r"DC\d{4}"),
    "detection-strategy": re.compile(r"DET\d{4}"),
}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with every ATT&CK object, its links and passages."""
    bundle = read_bundle(files, records)
    ids = _ids(bundle, records)
    successors = {r.source_ref: ids.get(r.target_ref, "") for r in current(bundle, "revoked-by")}
    sources = _data_sources(bundle)
    for stix_id, id in ids.items():
        item = bundle.objects[stix_id]
        text, fields = _text(item, bundle)
        records.entity(
            id,
            TYPES[item.type],
            clean(item.name),
            text,
            item.reference.url,
            fields | _fields(item, bundle) | {"data_sources": sources.get(stix_id, [])},
            published=item.created[:10],
            deprecated=item.withdrawn,
            revoked_by=successors.get(stix_id, ""),
        )
    add_links(bundle, ids, records)
    home = [entity for entity in records.entities if entity.fields["domain"] == bundle.domain]
    add_passages(home, records)


def _ids(bundle: Bundle, records: Records) -> dict[str, str]:
    """Entity ids by STIX id. Withdrawn mitigations bear ids of techniques: they are rejects."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for stix_id, item in sorted(bundle.objects.items(), key=lambda pair: (pair[1].withdrawn, pair[0])):
        external_id, type = item.reference.external_id, TYPES[item.type]
        if type == "data-component" and not external_id:
            external_id = stix_id  # before v18 they had no other id
        elif not _ID[type].fullmatch(external_id):
            records.reject(f"{stix_id} {item.name}", "legacy-id" if external_id else "no-id", f"a {type} under {external_id!r}")
            continue
        if external_id in taken:
            records.reject(f"{stix_id} {item.name}", "duplicate-id", external_id)
            continue
        taken.add(external_id)
        ids[stix_id] = f"attack:{external_id}"
    return ids


def _text(item: Item, bundle: Bundle) -> tuple[str, dict[str, Any]]:
    """The description, and for a strategy, which has none, those of its analytics."""
    if item.type != "x-mitre-detection-strategy":
        return clean(item.description, markdown=True), {}
    found = [_analytic(bundle.objects[ref], bundle) for ref in item.mitre_analytic_refs if ref in bundle.objects]
    lines = [f"{', '.join(a['platforms'])}: {a['text']}" if a["platforms"] else a["text"] for a in found if a["text"]]
    return "\n".join(lines), {"analytics": found}


def _analytic(item: Item, bundle: Bundle) -> dict[str, Any]:
    return {
        "id": item.reference.external_id,
        "platforms": _platforms(item),
        "text": clean(item.description, markdown=True),
        "log_sources": _log_sources(item.mitre_log_source_references, bundle),
    }


def _log_sources(sources: list[LogSource], bundle: Bundle) -> list[dict[str, str]]:
    """Where an analytic looks: data component, log and what in it."""
    return [
        {
            "component": bundle.objects[log.component].name if log.component in bundle.objects else "",
            "name": log.name,
            "channel": _channel(log),
        }
        for log in sources
    ]


def _platforms(item: Item) -> list[str]:
    return [platform for platform in item.mitre_platforms if platform != _NOTHING]


def _channel(log: LogSource) -> str:
    channel = clean(log.channel or "")
    return "" if channel == _NOTHING else channel


def _fields(item: Item, bundle: Bundle) -> dict[str, Any]:
    """What the object says of itself; empty values are left out later."""
    domains = [domain for key, domain in DOMAINS.items() if key in item.mitre_domains] or [bundle.domain]
    logs = _log_sources(item.mitre_log_source_references, bundle)
    return {
        "domain": domains[0],
        "domains": domains if len(domains) > 1 else [],
        "platforms": _platforms(item),
        "tactics": [phase.phase_name for phase in item.kill_chain_phases],
        "aliases": [alias for alias in item.aliases or item.mitre_aliases if alias != item.name],
        "is_subtechnique": item.mitre_is_subtechnique,
        "is_family": item.is_family,
        "first_seen": item.first_seen[:10],
        "last_seen": item.last_seen[:10],
        "shortname": item.mitre_shortname,
        "log_sources": logs or [{"name": log.name, "channel": _channel(log)} for log in item.mitre_log_sources],
        "capec": sorted({ref.external_id for ref in item.external_references if ref.source_name == "capec"}),
    } | _details(item)


def _details(item: Item) -> dict[str, Any]:
    """What only some releases or domains have."""
    return {
        "detection": clean(item.mitre_detection, markdown=True),
        "permissions_required": item.mitre_permissions_required,
        "effective_permissions": item.mitre_effective_permissions,
        "system_requirements": [clean(requirement, markdown=True) for requirement in item.mitre_system_requirements],
        "defense_bypassed": item.mitre_defense_bypassed,
        "impact_type": item.mitre_impact_type,
        "tactic_type": item.mitre_tactic_type,
        "remote_support": item.mitre_remote_support,
        "network_requirements": item.mitre_network_requirements,
        "sectors": item.mitre_sectors,
        "related_assets": [
            {"name": clean(asset.name), "sectors": asset.related_asset_sectors, "text": clean(asset.description, markdown=True)}
            for asset in item.mitre_related_assets
        ],
        "tunables": [
            {"name": tunable.field, "text": clean(tunable.description, markdown=True)} for tunable in item.mitre_mutable_elements
        ],
    }


def _data_sources(bundle: Bundle) -> dict[str, list[str]]:
    """`Source: Component` of the data components that detect each technique, by STIX id (releases before v18)."""
    found: dict[str, set[str]] = {}
    for relationship in current(bundle, "detects"):
        component = bundle.objects.get(relationship.source_ref)
        if component is not None and component.type == "x-mitre-data-component":
            source = bundle.data_sources.get(component.mitre_data_source_ref, "")
            found.setdefault(relationship.target_ref, set()).add(f"{source}: {component.name}" if source else component.name)
    return {stix_id: sorted(names) for stix_id, names in found.items()}
