"""Prompt files: parts headed `[system]`, `[user]` or `[assistant]` with places `{{name}}`, filled in one pass.

A last part headed `[repair]`, without places, is what a model is told whose reply cannot be read (`stages.llm.asking`).

Filled text is data: braces in it are never looked at again, chat-template control tokens in it are broken up,
so that no source record can open a turn of its own, and it can neither open nor close the `<<DATA>>` fence that
the file puts around it.
"""

import re
from pathlib import Path

import msgspec

from stages.control_tokens import without_control_tokens
from stages.errors import InputError
from stages.llm.fence import defuse, fences, marked

ROLES = ("system", "user", "assistant")
REPAIR = "repair"
_HEADER = re.compile(r"^\[(\w+)\][ \t]*$", re.MULTILINE)
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Prompt(msgspec.Struct, frozen=True):
    """One prompt file, cut into its turns."""

    path: str
    turns: list[tuple[str, str]]  # role, template text
    names: frozenset[str]  # every place that must be filled
    repair: str = ""  # the turn after a reply that cannot be read; empty: nothing is asked again


def load_prompt(path: Path) -> Prompt:
    """Read a prompt file. Raises InputError for a file without turns or with an unknown role."""
    pieces = _HEADER.split(path.read_text(encoding="utf-8"))
    turns = [(role, body.strip()) for role, body in zip(pieces[1::2], pieces[2::2], strict=True)]
    repair = turns.pop()[1] if turns and turns[-1][0] == REPAIR else ""
    wrong = [role for role, _ in turns if role not in ROLES]
    if pieces[0].strip() or not turns or wrong or _PLACE.search(repair):
        allowed = "parts headed " + ", ".join(f"[{role}]" for role in ROLES) + f", and a last one [{REPAIR}] without places"
        raise InputError(f"{path.name} is not a prompt file.", allowed=allowed)
    return Prompt(path.name, turns, frozenset(_PLACE.findall("".join(body for _, body in turns))), repair)


def fill(prompt: Prompt, **values: str) -> list[dict[str, str]]:
    """Chat messages of `prompt`. Raises InputError unless `values` are exactly the file's places."""
    if set(values) != prompt.names:
        differing = ", ".join(sorted(set(values) ^ prompt.names))
        raise InputError(
            f"{prompt.path}: its places and the values given differ in: {differing}.", remedy="Mend the prompt file."
        )
    safe = {name: defuse(without_control_tokens(value)) for name, value in values.items()}
    opening, closing = fences(values[name] for name in sorted(values))
    return [
        {"role": role, "content": _PLACE.sub(lambda place: safe[place[1]], marked(body, opening, closing))}
        for role, body in prompt.turns
    ]
