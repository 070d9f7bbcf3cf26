"""Mappings Explorer of the CTID: what security capabilities, controls and exploited vulnerabilities mean in ATT&CK.

Files: any roles, each a mapping file or an archive of them (pattern `*.json`). Several editions of one framework and
ATT&CK domain are superseded by the newest: the one on the highest ATT&CK version, then of the highest own version.

KEV maps vulnerabilities, NIST 800-53 maps controls, VERIS maps kinds of incidents; all others map capabilities, with
a score where the framework has scores.
"""

import re

import msgspec

from stages.errors import InputError
from stages.ingest.containers import Member
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.vulnerabilities import CVE

_KEV = {
    "exploitation_technique": "exploitation-technique",
    "primary_impact": "primary-impact",
    "secondary_impact": "secondary-impact",
    "uncategorized": "related-to",
}
_SCORED = {"protect": "mitigates", "detect": "detects", "respond": "responds-to"}
_UNSCORED = {"mitigates": "mitigates", "protects": "mitigates", "related_to": "related-to"}
_FRAMEWORKS = {
    "aws": "Amazon Web Services",
    "azure": "Microsoft Azure",
    "cri_profile": "Cyber Risk Institute Profile",
    "csa_ccm": "CSA Cloud Controls Matrix",
    "gcp": "Google Cloud Platform",
    "intel-vpro": "Intel vPro",
    "m365": "Microsoft 365",
    "veris": "VERIS",
}
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_CONTROL = re.compile(r"([A-Z]{2})-0?([0-9]{1,2})(?:\(0?([0-9]{1,2})\))?")
_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{4})")


class Metadata(msgspec.Struct):
    """Which framework is mapped to which ATT&CK."""

    framework: str = msgspec.field(name="mapping_framework")
    version: str = msgspec.field(name="mapping_framework_version")
    attack: str = msgspec.field(name="attack_version")
    domain: str = msgspec.field(name="technology_domain")
    groups: dict[str, str] = msgspec.field(name="capability_groups", default_factory=dict)


class Mapping(msgspec.Struct):
    """The file, its objects unread."""

    metadata: Metadata
    objects: list[msgspec.Raw] = msgspec.field(name="mapping_objects")


class Mapped(msgspec.Struct):
    """One capability and one technique, or the statement that a capability has none."""

    capability: str | None = msgspec.field(name="capability_id")
    technique: str | None = msgspec.field(name="attack_object_id")
    description: str | None = msgspec.field(name="capability_description", default=None)
    kind: str | None = msgspec.field(name="mapping_type", default=None)
    group: str | None = msgspec.field(name="capability_group", default=None)
    comments: str | None = None
    status: str | None = None
    category: str | None = msgspec.field(name="score_category", default=None)
    value: str | None = msgspec.field(name="score_value", default=None)


class Capability(msgspec.Struct):
    """What all files say of one capability; keys of the dicts are in the order of the files."""

    mapped: Mapped
    metadata: Metadata
    domains: dict[str, None] = {}
    scores: dict[tuple[str, str, str], None] = {}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with capabilities and with the links of the newest edition of each framework and domain."""
    newest: dict[tuple[str, str], tuple[tuple[tuple[int, ...], ...], Member]] = {}
    for role in sorted(files.source.files):
        for member in files.each(role, records, "*.json"):
            metadata = _metadata(member, records)
            if metadata is None:
                continue
            edition = (_numbers(metadata.attack), _numbers(metadata.version))
            known = newest.get(key := (metadata.framework, metadata.domain))
            if known is None or edition > known[0]:
                newest[key] = (edition, member)
                member, known = (known[1], known) if known else (None, None)
            if member is not None:
                records.reject(member.name, "superseded", f"a newer edition of {key[0]} for {key[1]} is read")
    if not newest:
        raise InputError(
            f"source `{files.name}` holds no mapping file.",
            allowed="JSON files of the Mappings Explorer",
            remedy="Check the pin.",
        )
    capabilities: dict[str, Capability] = {}
    for _, (_, member) in sorted(newest.items()):
        _add_links(member, capabilities, records)
    for subject, capability in sorted(capabilities.items()):
        _add_capability(subject, capability, records)


def _metadata(member: Member, records: Records) -> Metadata | None:
    """What the file is about; none, and a reject, if it maps nothing: it must not supersede an edition that does."""
    mapping = records.decode_json(member, Mapping)
    if mapping and not mapping.objects:
        records.reject(member.name, "no-mappings", f"{mapping.metadata.framework} {mapping.metadata.version}")
        return None
    return mapping.metadata if mapping else None


def _numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared: `16.1`, `rev5`, or a date as month/day/year."""
    if match := _DATE.fullmatch(version):
        return int(match[3]), int(match[1]), int(match[2])
    return tuple(int(number[:9]) for number in re.findall(r"\d+", version)[:4])


def _add_links(member: Member, capabilities: dict[str, Capability], records: Records) -> None:
    """Links of one file; what is mapped goes into `capabilities`, unless another source describes it."""
    mapping = msgspec.json.decode(member.content, type=Mapping)
    for number, mapped in enumerate(records.convert(mapping.objects, Mapped)):
        subject = _subject(mapping.metadata, mapped)
        relation = _relation(mapping.metadata, mapped)
        reason = _reason_to_drop(mapped, subject, relation)
        if reason:
            records.reject(f"{member.name.rsplit('/', 1)[-1]} {number}: {mapped.capability} {mapped.technique}", reason)
            continue
        records.link(subject, relation, f"attack:{mapped.technique}", clean(mapped.comments or "", markdown=True))
        if subject.startswith("ctid:"):
            capability = capabilities.setdefault(subject, Capability(mapped, mapping.metadata))
            capability.domains[mapping.metadata.domain] = None
            if mapped.category and mapped.value:
                capability.scores[(mapped.technique or "", mapped.category, mapped.value)] = None


def _subject(metadata: Metadata, mapped: Mapped) -> str:
    """The id of what is mapped, or nothing."""
    name = (mapped.capability or "").strip()
    if metadata.framework == "kev":
        return f"cve:{name}" if CVE.fullmatch(name) else ""
    if metadata.framework == "nist_800_53":
        match = _CONTROL.fullmatch(name)
        revision = "nist-r4" if metadata.version == "rev4" else "nist"
        return f"{revision}:{match[1]}-{match[2]}{f'({match[3]})' if match[3] else ''}" if match else ""
    if metadata.framework == "veris":  # the case of the path differs between files
        path, _, last = name.rpartition(".")
        name = f"{path.lower()}.{last}"
    return f"ctid:{metadata.framework}/{name.replace(' ', '_')}" if name else ""


def _relation(metadata: Metadata, mapped: Mapped) -> str:
    if metadata.framework == "kev":
        return _KEV.get(mapped.kind or "", "")
    return _SCORED.get(mapped.category or "") or _UNSCORED.get(mapped.kind or "", "")


def _reason_to_drop(mapped: Mapped, subject: str, relation: str) -> str:
    if mapped.status == "non_mappable" or mapped.kind == "non_mappable":
        return "non-mappable"
    if not _TECHNIQUE.fullmatch(mapped.technique or ""):
        return "no-technique-id"
    return "no-capability-id" if not subject else "unknown-relation" if not relation else ""


def _add_capability(subject: str, capability: Capability, records: Records) -> None:
    mapped, metadata = capability.mapped, capability.metadata
    name, text = clean(mapped.description or "") or str(mapped.capability), ""
    if metadata.framework == "veris":
        name, text = _incident(str(mapped.capability), name)
    entity = records.entity(
        subject,
        "incident-classification" if metadata.framework == "veris" else "security-capability",
        name,
        text,
        "https://center-for-threat-informed-defense.github.io/mappings-explorer/",
        {
            "framework": _FRAMEWORKS.get(metadata.framework, metadata.framework),
            "framework_version": metadata.version,
            "attack_version": metadata.attack,
            "domains": list(capability.domains),
            "key": str(mapped.capability),
            "group": clean(metadata.groups.get(mapped.group or "", mapped.group or "")),
            "scores": [dict(zip(("technique", "function", "score"), score, strict=True)) for score in capability.scores],
        },
    )
    records.passage(entity, "description", text)


def _incident(key: str, description: str) -> tuple[str, str]:
    """Name and text of `action.hacking.variety.Brute force`: VERIS names a kind by its path."""
    parts = key.split(".")
    name = f"{parts[-1].replace('_', ' ')} ({parts[1].lower()})" if len(parts) > 2 else key
    return name, description if description.lower().rstrip(".") not in (key.lower(), parts[-1].lower()) else ""
