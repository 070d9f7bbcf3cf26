"""A question whose reply must have a form: JSON where the server is bound to a schema, else text that is read tolerantly.

    answer = await ask(client, request, parse_choice, Shape(Choice, lambda said: said.verdict))

A reply that cannot be read is shown to its author once, with the form that is wanted (`[repair]` of the prompt file).
"""

import re
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from stages.control_tokens import without_control_tokens
from stages.llm.client import Reply, Request
from stages.llm.fence import defuse
from stages.llm.params import LLMParams

Value = TypeVar("Value")
_FENCED = re.compile(r"\A```(?:json)?[ \t]*\n|\n?```\Z", re.IGNORECASE)
_LIKE_JSON = re.compile(r"[{\[]\s*[\"{\[]")  # and not `[1, 2]` or `{a}`, which are prose to a reader
LONGEST_SHOWN = 2000  # characters of an unreadable reply that its author is shown


class Noting(Protocol):
    """What notes that a reply could not be read: `stages.llm.ledger.Ledger`, or what stands for it elsewhere."""

    def parse_failed(self, purpose: str) -> None: ...


class Chat(Protocol):
    """What row functions need of a client: the Client itself, one that meters a row, or one in another process."""

    llm: LLMParams

    @property
    def ledger(self) -> Noting: ...

    async def chat(self, request: Request) -> Reply: ...


class Shape(NamedTuple, Generic[Value]):
    """The reply as JSON: its type, whose JSON schema the server is given, and the value in it."""

    type: type[msgspec.Struct]
    value: Callable[[Any], Value | None]


class Answer(NamedTuple, Generic[Value]):
    """What was understood (None: nothing), the keys of the one or two requests, and the last reply."""

    value: Value | None
    keys: list[str]
    reply: Reply


async def ask(
    client: Chat, request: Request, read: Callable[[str], Value | None], shape: Shape[Value] | None = None
) -> Answer[Value]:
    """The value of the reply to `request`. `read` returns None for a text that it cannot read. Raises CallFailed.

    An unreadable reply is counted once, whether or not the repair mends it.
    """
    role = client.llm.teacher if request.role == "teacher" else client.llm.judge
    if shape is not None and role.json_schema:
        request = msgspec.structs.replace(request, schema=json_schema(shape.type))
    reply = await client.chat(request)
    value, keys = _read(reply.text, read, shape), [reply.key]
    if value is not None:
        return Answer(value, keys, reply)
    client.ledger.parse_failed(request.purpose)
    if role.repair and request.repair:
        reply = await client.chat(repair_request(request, reply.text))
        value, keys = _read(reply.text, read, shape), [*keys, reply.key]
    return Answer(value, keys, reply)


def repair_request(request: Request, said: str) -> Request:
    """The conversation so far, and what form the reply must have. The reply is hostile text like any other."""
    shown = defuse(without_control_tokens(said))[:LONGEST_SHOWN]
    turns = [{"role": "assistant", "content": shown}, {"role": "user", "content": request.repair}]
    return msgspec.structs.replace(request, messages=[*request.messages, *turns])


def json_schema(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of `shape`, with a title, and closed as servers with strict schemas ask for."""
    (root,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    schema = dict(parts.pop(shape.__name__)) if root.get("$ref") else dict(root)
    for one in (schema, *parts.values()):
        if one.get("type") == "object":
            one.update({"additionalProperties": False, "required": list(one.get("properties", {}))})
    return schema | ({"$defs": parts} if parts else {})


def _read(text: str, read: Callable[[str], Value | None], shape: Shape[Value] | None) -> Value | None:
    """By the shape where the text is JSON, else by the tolerant reader, which would take names of fields for an answer."""
    inner = _FENCED.sub("", text.strip())
    if shape is None or not inner.startswith(("{", "[")):
        return read(text)
    try:
        return shape.value(msgspec.json.decode(inner, type=shape.type))
    except (msgspec.DecodeError, RecursionError):
        return None if _LIKE_JSON.match(inner) else read(text)
