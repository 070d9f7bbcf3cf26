"""Flows as the Attack Flow Builder saves them (`.afb`): blocks with anchors, and lines that latch on to anchors."""

from typing import Any

import msgspec

from stages.ingest.readers.attack_flow.graph import Flow, action, words

SCHEMA = "attack_flow_v2"
_PLUMBING = ("dynamic_line", "generic_latch", "generic_handle", "vertical_anchor", "horizontal_anchor", "flow")


class Block(msgspec.Struct):
    """Anything in the drawing; `id` is its kind, `instance` its id."""

    id: str
    instance: str
    properties: list[tuple[str, Any]] = []
    anchors: dict[str, str] = {}  # of a block: anchors by angle
    latches: list[str] = []  # of an anchor: ends of lines
    source: str = ""  # of a line: the latch where it starts
    target: str = ""


class Document(msgspec.Struct):
    """The file."""

    schema: str
    objects: list[Block]


def flow_of(document: Document) -> Flow | None:
    """The flow in the file, or None if it holds none or several."""
    flows = [dict(block.properties) for block in document.objects if block.id == "flow"]
    if len(flows) != 1:
        return None
    about = flows[0]
    blocks = [block for block in document.objects if block.id not in _PLUMBING]
    properties = {block.instance: dict(block.properties) for block in blocks}
    return Flow(
        name=words(about.get("name")),
        description=words(about.get("description")),
        scope=words(about.get("scope")),
        created=_date(about.get("created")),
        sources=_sources(about.get("external_references")),
        actions={block.instance: _action(properties[block.instance]) for block in blocks if block.id == "action"},
        edges=_edges(document.objects, set(properties)),
        vulnerabilities=[words(properties[block.instance].get("name")) for block in blocks if block.id == "vulnerability"],
        blocks=list(properties),
    )


def _action(about: dict[str, Any]) -> Any:
    """Older files have ids of their own, all have the pair `ttp`."""
    pair = about.get("ttp")
    items = [item for item in pair if isinstance(item, list) and len(item) == 2] if isinstance(pair, list) else []
    pairs = {key: value for key, value in items if isinstance(key, str)}
    technique = about.get("technique_id") or pairs.get("technique")
    tactic = about.get("tactic_id") or pairs.get("tactic")
    return action(technique, tactic, about.get("name"), about.get("description"))


def _edges(objects: list[Block], known: set[str]) -> dict[str, list[str]]:
    """Blocks by the blocks that lines lead to them from: line -> latch -> anchor -> block, at both ends."""
    anchors = {anchor: block.instance for block in objects for anchor in block.anchors.values()}
    ends = {latch: anchors.get(block.instance, "") for block in objects for latch in block.latches}
    edges: dict[str, dict[str, None]] = {}
    for line in objects:
        source, target = ends.get(line.source, ""), ends.get(line.target, "")
        if line.id == "dynamic_line" and source in known and target in known:
            edges.setdefault(source, {})[target] = None
    return {source: list(targets) for source, targets in edges.items()}


def _date(value: Any) -> str:
    """Newer files state a time and a zone."""
    return words(value.get("time") if isinstance(value, dict) else value)[:10]


def _sources(value: Any) -> list[str]:
    """Addresses of the reports behind the flow: `[[key, [[name, value], ...]], ...]`."""
    entries = [entry[1] for entry in value if isinstance(entry, list) and len(entry) == 2] if isinstance(value, list) else []
    pairs = [pair for entry in entries if isinstance(entry, list) for pair in entry if isinstance(pair, list) and len(pair) == 2]
    return [words(found) for key, found in pairs if key == "url" and words(found)]
