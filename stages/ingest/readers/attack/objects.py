"""MITRE ATT&CK: ids, status, detection strategies and procedures of the STIX lookup, long texts of the MISP galaxy.

Files: `lookup` (folder with `<kind>-lookup-v<version>.json`), and the galaxy clusters `techniques`, `mitigations`,
`groups`, `malware`, `tools`, `data_components`. The lookup is the authority and cuts descriptions; the galaxy is
one release older and has them whole. An object that only the galaxy knows belongs to the mobile or pre-ATT&CK
domain, or has been withdrawn: it is kept, with its domain in `fields`, because other sources still name it.
"""

import re
from typing import Any

from stages.ingest.galaxy import Value, read_cluster
from stages.ingest.readers.attack.links import add_galaxy_links, add_lookup_links
from stages.ingest.readers.attack.lookup import Analytic, Lookup, Object, read_lookup
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import clean, whole_sentences

CLUSTERS = {
    "techniques": ("mitre-attack-pattern", "technique"),
    "mitigations": ("mitre-course-of-action", "mitigation"),
    "groups": ("mitre-intrusion-set", "group"),
    "malware": ("mitre-malware", "malware"),
    "tools": ("mitre-tool", "tool"),
    "data_components": ("mitre-data-component", "data-component"),
}
_ID = re.compile(r"^(?:T\d{4}(?:\.\d{3})?|TA\d{4}|M\d{4}|G\d{4}|S\d{4}|C\d{4}|DC\d{4}|DET\d{4})$")
_ID_OF_TYPE = {"technique": "T", "mitigation": "M", "group": "G", "malware": "S", "tool": "S"}
_SITE = {"technique": "techniques", "mitigation": "mitigations", "group": "groups", "malware": "software", "tool": "software"}
_SITE |= {"data-component": "datacomponents", "detection-strategy": "detectionstrategies", "campaign": "campaigns"}
_SITE |= {"tactic": "tactics"}
_CAPEC_PAGE = re.compile(r"capec\.mitre\.org/data/definitions/(\d+)")


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with every ATT&CK object, its links and passages."""
    galaxy = {
        kind: {v.uuid: v for v in records.convert(read_cluster(files, kind, name), Value)} for kind, (name, _) in CLUSTERS.items()
    }
    lookup = read_lookup(files, records)
    texts = {uuid: value for values in galaxy.values() for uuid, value in values.items()}
    ids = _add_lookup_entities(lookup, texts, records)
    enterprise = set(ids)
    for kind, (_, type) in CLUSTERS.items():
        _add_galaxy_only(galaxy[kind], type, ids, records)
    add_lookup_links(lookup, ids, records)
    add_galaxy_links(galaxy, ids, enterprise, records)
    add_passages(records.entities, records)


def _add_lookup_entities(lookup: Lookup, texts: dict[str, Value], records: Records) -> dict[str, str]:
    """Entities of the lookup; returns entity ids by STIX UUID."""
    ids = {_uuid(item.stix_id): f"attack:{item.external_id}" for item in lookup.objects if _ID.match(item.external_id)}
    successors = {
        _uuid(r.source_ref): ids.get(_uuid(r.target_ref), "") for r in lookup.relationships if r.relationship_type == "revoked-by"
    }
    domain_components = {item.stix_id: item.name for item in lookup.objects if item.type == "data-component"}
    for item in lookup.objects:
        if not _ID.match(item.external_id) or (item.type in _ID_OF_TYPE and not _fits(item.external_id, item.type)):
            records.reject(f"{item.external_id} {item.name}", "legacy-id", f"a {item.type} under an id of another type")
            ids.pop(_uuid(item.stix_id), None)
            continue
        uuid = _uuid(item.stix_id)
        text, fields = _text(item, texts.get(uuid), lookup, domain_components)
        records.entity(
            f"attack:{item.external_id}",
            item.type,
            item.name,
            text,
            item.url or _page(item.external_id, item.type),
            fields | {"domain": "enterprise"},
            published=item.created[:10],
            deprecated=item.deprecated or item.revoked,
            revoked_by=successors.get(uuid, ""),
        )
    return ids


def _fits(external_id: str, type: str) -> bool:
    prefix = _ID_OF_TYPE[type]
    return external_id.startswith(prefix) and external_id[len(prefix)].isdigit()


def _text(item: Object, value: Value | None, lookup: Lookup, components: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The longest whole text that is known, and the fields of the object's type."""
    fields = dict(item.fields)
    if item.type == "detection-strategy":
        analytics = [lookup.analytics[ref] for ref in item.analytics if ref in lookup.analytics]
        fields["analytics"] = [_analytic(analytic, components) for analytic in analytics]
        lines = [
            f"{', '.join(a['platforms'])}: {a['text']}" if a.get("platforms") else a["text"]
            for a in fields["analytics"]
            if a.get("text")
        ]
        return "\n".join(lines), fields
    if value is not None and value.description:
        fields["text_version"] = "galaxy"
        fields["data_sources"] = sorted(value.meta.mitre_data_sources)
        fields["capec"] = _capec_ids(value)
        return clean(value.description, markdown=True), fields
    text, cut = whole_sentences(item.description, markdown=True)
    return text, fields | ({"text_cut": True} if cut else {})


def _analytic(analytic: Analytic, components: dict[str, str]) -> dict[str, Any]:
    text, cut = whole_sentences(analytic.description, markdown=True)
    logs = [
        {
            "component": components.get(log.component, ""),
            "name": log.name,
            "channel": "" if log.channel == "None" else clean(log.channel or ""),
        }
        for log in analytic.log_source_references
    ]
    found: dict[str, Any] = {"id": analytic.external_id, "platforms": analytic.platforms, "text": text, "log_sources": logs}
    return found | ({"text_cut": True} if cut else {})


def _add_galaxy_only(values: dict[str, Value], type: str, ids: dict[str, str], records: Records) -> None:
    """Entries that the lookup lacks: other domains and withdrawn ones. Extends `ids`."""
    known = set(ids.values())
    for uuid, value in sorted(values.items()):
        external_id = value.meta.external_id
        if uuid in ids:
            continue
        if type == "data-component" or not _ID.match(external_id) or not _fits(external_id, type):
            records.reject(f"{external_id} {value.value}", "legacy-id", f"a {type} without an id of its type")
            continue
        ids[uuid] = f"attack:{external_id}"
        if ids[uuid] in known:
            continue  # an older object under the same id: its links count, its text does not
        domain = _domain(value)
        records.entity(
            ids[uuid],
            type,
            _name(value),
            clean(value.description, markdown=True),
            _page(external_id, type),
            {"domain": domain, "text_version": "galaxy", "platforms": value.meta.mitre_platforms, "tactics": _tactics(value)}
            | {"aliases": value.meta.synonyms, "capec": _capec_ids(value), "is_subtechnique": "." in external_id or None},
            deprecated=value.revoked or domain in ("pre-attack", "enterprise"),
            revoked_by=_successor(value, values),
        )


def _page(external_id: str, type: str) -> str:
    return f"https://attack.mitre.org/{_SITE[type]}/{external_id.replace('.', '/')}"


def _domain(value: Value) -> str:
    """Domain by the kill-chain prefix; software of the mobile matrix has only mobile platforms."""
    prefixes = {entry.split(":")[0] for entry in value.meta.kill_chain}
    if any(prefix.startswith("mobile-attack") for prefix in prefixes):
        return "mobile"
    if prefixes == {"pre-attack"}:
        return "pre-attack"
    if not prefixes and (not value.meta.mitre_platforms or set(value.meta.mitre_platforms) <= {"Android", "iOS"}):
        return "mobile" if not value.meta.external_id.startswith("T") or value.meta.mitre_platforms else "enterprise"
    return "enterprise"


def _tactics(value: Value) -> list[str]:
    return sorted({entry.split(":", 1)[1] for entry in value.meta.kill_chain if ":" in entry})


def _successor(value: Value, values: dict[str, Value]) -> str:
    for related in value.related:
        if related.type == "revoked-by" and related.dest in values:
            return f"attack:{values[related.dest].meta.external_id}"
    return ""


def _name(value: Value) -> str:
    return value.value.removesuffix(f" - {value.meta.external_id}").strip()


def _capec_ids(value: Value) -> list[str]:
    return sorted({f"CAPEC-{match.group(1)}" for ref in value.meta.refs if (match := _CAPEC_PAGE.search(ref))})


def _uuid(stix_id: str) -> str:
    return stix_id.split("--", 1)[-1]


def add_passages(entities: list[Entity], records: Records) -> None:
    """Descriptions of all `entities` that are current, each analytic of a strategy, and the mitigations of each technique."""
    names = {entity.id: entity.name for entity in records.entities}
    advice: dict[str, list[str]] = {}
    for link in records.links:
        if link.relation == "mitigates" and link.text:
            advice.setdefault(link.object, []).append(f"{names.get(link.subject, link.subject)}: {link.text}")
    for entity in entities:
        if entity.deprecated or entity.type == "analytic":  # an analytic is a passage of its strategy
            continue
        if entity.type == "detection-strategy":
            _add_analytics(entity, records)
        else:
            records.passage(entity, "description", entity.text)
        if entity.type == "technique" and entity.id in advice:
            title = f"Mitigations of {entity.id.split(':')[1]} {entity.name}"
            records.passage(entity, "mitigations", "\n".join(sorted(advice[entity.id])), title)


def _add_analytics(entity: Entity, records: Records) -> None:
    for analytic in entity.fields.get("analytics", []):
        platforms = ", ".join(analytic.get("platforms", []))
        logs = "; ".join(sorted({_log(log) for log in analytic["log_sources"]} - {""}))
        text = analytic["text"] + (f"\nLog sources: {logs}." if logs and analytic["text"] else "")
        records.passage(entity, analytic["id"], text, f"{entity.name} on {platforms}" if platforms else entity.name)


def _log(log: dict[str, str]) -> str:
    """`WinEventLog:Security (EventCode=4688)`, or the log alone."""
    return f"{log['name']} ({log['channel']})" if log["channel"] else log["name"]
