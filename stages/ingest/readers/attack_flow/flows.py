"""Attack flows of the Center for Threat-Informed Defense, as graphs of actions with ATT&CK or ATLAS techniques.

Files: `flows` (an archive of `.afb` files of the Attack Flow Builder, or with a pattern of its own of STIX bundles).
Steps are in an order that respects every arrow; `next` says which step leads to which. A flow is under the slug of
its file's name.
"""

import re
from pathlib import PurePosixPath

import msgspec

from stages.ingest.containers import Member
from stages.ingest.readers.attack_flow import builder, stix
from stages.ingest.readers.attack_flow.graph import Flow, following_actions, ordered_actions
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean

PATTERN = "*.afb"
BLOCKS_LIMIT = 5_000  # the largest flow of the corpus has 97; the order of steps takes quadratic time
_CVE = re.compile(r"\bCVE[- ](\d{4}-\d{4,})\b")
_PAGE = "https://center-for-threat-informed-defense.github.io/attack-flow/"


class Head(msgspec.Struct):
    """What tells the two layouts apart."""

    schema: str = ""
    type: str = ""


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with flows, the techniques they use, the vulnerabilities they name, and passages."""
    seen: set[str] = set()
    for member in files.each("flows", records, PATTERN):
        id = f"flow:{_slug(member.name)}"
        flow = _flow(member, records)
        if flow is None:
            continue
        reason = "duplicate-id" if id in seen else _reason_to_drop(flow)
        if reason:
            records.reject(member.name, reason, id)
            continue
        seen.add(id)
        _add(id, flow, records)


def _reason_to_drop(flow: Flow) -> str:
    if len(flow.blocks) > BLOCKS_LIMIT:
        return "oversized"
    return "" if flow.actions else "no-actions"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", PurePosixPath(name).stem.casefold()).strip("-")


def _flow(member: Member, records: Records) -> Flow | None:
    head = records.decode_json(member, Head)
    if head is None:
        return None
    flow = None
    if head.schema == builder.SCHEMA:
        document = records.decode_json(member, builder.Document)
        if document is None:
            return None
        flow = builder.flow_of(document)
    elif head.type == "bundle":
        bundle = records.decode_json(member, stix.Bundle)
        if bundle is None:
            return None
        flow = stix.flow_of(bundle)
    if flow is None:
        records.reject(member.name, "no-flow", f"schema {head.schema!r}, type {head.type!r}; known: {builder.SCHEMA}, bundle")
    return flow


def _add(id: str, flow: Flow, records: Records) -> None:
    order = ordered_actions(flow)
    place = {block: number for number, block in enumerate(order)}
    steps = [
        {"technique": one.technique, "tactic": one.tactic, "name": one.name, "text": one.text}
        for one in (flow.actions[block] for block in order)
    ]
    text = clean(flow.description, markdown=True)
    entity = records.entity(
        id,
        "attack-flow",
        clean(flow.name) or id.split(":", 1)[1],
        text,
        _PAGE,
        {
            "scope": flow.scope,
            "steps": steps,
            "next": [
                [place[block], place[other]] for block in order for other in sorted(following_actions(flow, block), key=place.get)
            ],
            "references": flow.sources,
        },
        published=flow.created,
    )
    for step in steps:
        if step["technique"]:
            records.link(id, "uses", _entity_id(step["technique"]), step["text"])
    for cve in sorted({f"CVE-{number}" for name in flow.vulnerabilities for number in _CVE.findall(name)}):
        records.link(id, "related-to", f"cve:{cve}")
    records.passage(entity, "steps", "\n".join(step["text"] for step in steps if step["text"]), f"Attack flow: {entity.name}")


def _entity_id(technique: str) -> str:
    return f"atlas:{technique}" if technique.startswith("AML.") else f"attack:{technique}"
