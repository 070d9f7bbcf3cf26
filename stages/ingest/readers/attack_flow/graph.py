"""A flow whichever way it was stored, and the order of its actions."""

import re
from typing import Any

import msgspec

from stages.ingest.text import clean

_TECHNIQUE = re.compile(r"\b(?:AML\.)?T\d{4}(?:\.\d{3})?\b")
_GIVEN_AWAY = re.compile(r"\[TA?\d{4}(?:\.\d{3})?\]")  # as reports put behind the phrase that it is about
_TACTIC = re.compile(r"\b(?:AML\.)?TA\d{4}\b")


class Action(msgspec.Struct):
    """What the adversary does; `technique` and `tactic` are ids of ATT&CK or ATLAS, or empty."""

    technique: str
    tactic: str
    name: str
    text: str


class Flow(msgspec.Struct):
    """One flow; blocks are actions, conditions, operators and things, in the order of the file."""

    name: str
    description: str
    scope: str
    created: str
    sources: list[str]
    actions: dict[str, Action]  # by block
    edges: dict[str, list[str]]  # blocks that follow each block
    vulnerabilities: list[str]
    blocks: list[str]


def action(technique: Any, tactic: Any, name: Any, text: Any) -> Action:
    """An action with ids cut out of labels such as `[ATL] AML.T0095.000 Code Repositories`."""
    return Action(
        technique=found.group() if (found := _TECHNIQUE.search(str(technique or ""))) else "",
        tactic=found.group() if (found := _TACTIC.search(str(tactic or ""))) else "",
        name=clean(words(name)),
        text=clean(_GIVEN_AWAY.sub("", words(text)), markdown=True),
    )


def words(value: Any) -> str:
    """The value if it is text: what nobody filled in is null."""
    return value if isinstance(value, str) else ""


def ordered_actions(flow: Flow) -> list[str]:
    """The blocks that are actions, causes first; what does not depend on each other stays in the order of the file."""
    waiting = {block: 0 for block in flow.blocks}
    for targets in flow.edges.values():
        for target in targets:
            waiting[target] += 1
    order: list[str] = []
    left = dict.fromkeys(flow.blocks)
    while left:  # in a loop nothing is first: its earliest block in the file
        block = next((block for block in left if not waiting[block]), next(iter(left)))
        del left[block]
        order.append(block)
        for target in flow.edges.get(block, []):
            waiting[target] -= 1
    return [block for block in order if block in flow.actions]


def following_actions(flow: Flow, start: str) -> list[str]:
    """The actions that an action leads to directly: through conditions, operators and things, not through actions."""
    seen, found, stack = {start}, [], list(flow.edges.get(start, []))
    while stack:
        block = stack.pop()
        if block in seen:
            continue
        seen.add(block)
        if block in flow.actions:
            found.append(block)
        else:
            stack += flow.edges.get(block, [])
    return found
