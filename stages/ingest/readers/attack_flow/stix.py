"""Flows as STIX 2.1 bundles, which the Attack Flow Builder publishes: its own objects beside standard ones."""

import msgspec

from stages.ingest.readers.attack_flow.graph import Flow, action

_BLOCKS = ("attack-action", "attack-condition", "attack-operator", "attack-asset")


class Reference(msgspec.Struct):
    """A report behind the flow."""

    url: str = ""


class Item(msgspec.Struct):
    """Any object; each kind names its followers in its own way."""

    type: str
    id: str
    name: str = ""
    description: str = ""
    scope: str = ""
    created: str = ""
    technique_id: str = ""
    tactic_id: str = ""
    external_references: list[Reference] = []
    effect_refs: list[str] = []
    on_true_refs: list[str] = []
    on_false_refs: list[str] = []


class Bundle(msgspec.Struct):
    """The file."""

    type: str
    objects: list[Item]


def flow_of(bundle: Bundle) -> Flow | None:
    """The flow in the bundle, or None if it holds none or several."""
    flows = [item for item in bundle.objects if item.type == "attack-flow"]
    if len(flows) != 1:
        return None
    blocks = {item.id: item for item in bundle.objects if item.type in _BLOCKS}
    followers = {id: [*item.effect_refs, *item.on_true_refs, *item.on_false_refs] for id, item in blocks.items()}
    return Flow(
        name=flows[0].name,
        description=flows[0].description,
        scope=flows[0].scope,
        created=flows[0].created[:10],
        sources=[reference.url for reference in flows[0].external_references if reference.url],
        actions={
            id: action(item.technique_id, item.tactic_id, item.name, item.description)
            for id, item in blocks.items()
            if item.type == "attack-action"
        },
        edges={id: [ref for ref in dict.fromkeys(refs) if ref in blocks] for id, refs in followers.items()},
        vulnerabilities=[item.name for item in bundle.objects if item.type == "vulnerability"],
        blocks=list(blocks),
    )
