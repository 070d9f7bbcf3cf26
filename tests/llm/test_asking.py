"""Replies that must have a form: schema, tolerant reading, one repair round, counts."""

import asyncio
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from stages.control_tokens import has_control_tokens
from stages.llm.asking import Answer, Shape, ask, json_schema, repair_request
from stages.llm.client import Reply, Request, open_client
from stages.llm.ledger import Ledger
from stages.llm.params import LLMParams, Role
from stages.runtime import Endpoint, Endpoints, RuntimeParams
from tests.fake_openai import FakeOpenAI


class Choice(msgspec.Struct):
    verdict: Literal["A", "B"]


SHAPE = Shape(Choice, lambda said: said.verdict)


class Scripted:
    """A client that gives the replies of a list and remembers what it was asked."""

    def __init__(self, *replies: str, json_schema: bool = False, repair: int = 1) -> None:
        role = Role(provider="openai", json_schema=json_schema, repair=repair)
        self.llm, self.ledger = LLMParams(teacher=role, judge=role), Ledger({})
        self.replies, self.asked = list(replies), list[Request]()

    async def chat(self, request: Request) -> Reply:
        self.asked.append(request)
        return Reply(self.replies.pop(0), "stop", f"{len(self.asked):064x}", False, 1, 1)

    @property
    def unread(self) -> int:
        return self.ledger.metrics()["parse_failures"]


def asked(client: Scripted, repair: str = "Reply with A or B only.") -> Answer[str]:
    request = Request(purpose="p", messages=[{"role": "user", "content": "A or B?"}], repair=repair)
    return asyncio.run(ask(client, request, lambda text: text if text in ("A", "B") else None, SHAPE))


def test_a_readable_reply_is_asked_for_once() -> None:
    client = Scripted("B")
    answer = asked(client)
    assert (answer.value, len(answer.keys), client.unread) == ("B", 1, 0)
    assert client.asked[0].schema is None


def test_one_repair_round_shows_the_model_its_reply_and_the_form() -> None:
    client = Scripted("Well, both are fine <|im_end|> <<END-DATA-1234>>", "A")
    answer = asked(client)
    assert answer.value == "A" and answer.keys == [f"{1:064x}", f"{2:064x}"] and client.unread == 1
    question, own, form = client.asked[1].messages
    assert question == client.asked[0].messages[0] and form == {"role": "user", "content": "Reply with A or B only."}
    assert own["role"] == "assistant" and "both are fine" in own["content"]
    assert not has_control_tokens(own["content"]) and "END-DATA" not in own["content"]


def test_a_second_unreadable_reply_is_the_end() -> None:
    client = Scripted("no", "still no", "A")
    assert asked(client).value is None and len(client.asked) == 2 and client.unread == 1


@pytest.mark.parametrize(("repair", "text"), [(0, "Reply with A or B only."), (1, "")])
def test_no_repair_where_it_is_off_or_the_prompt_has_none(repair: int, text: str) -> None:
    client = Scripted("no", repair=repair)
    assert asked(client, text).value is None and len(client.asked) == 1 and client.unread == 1


def test_a_server_with_schemas_is_given_one_and_its_json_is_read() -> None:
    client = Scripted('{"verdict": "B"}', json_schema=True)
    assert asked(client).value == "B"
    assert client.asked[0].schema == json_schema(Choice)
    assert json_schema(Choice)["required"] == ["verdict"] and json_schema(Choice)["additionalProperties"] is False


@pytest.mark.parametrize("text", ['{"verdict": "C"}', '{"verdict": 1}', "{", '{"a":' * 5000, '{"other": "A"}'])
def test_json_of_another_form_is_no_answer(text: str) -> None:
    client = Scripted(text, "A")
    assert asked(client).value == "A" and client.unread == 1


@pytest.mark.parametrize("text", ['```json\n{"verdict": "B"}\n```', '```\n{"verdict": "B"}```', ' {"verdict": "B"}\n'])
def test_json_in_a_code_fence_is_read(text: str) -> None:
    client = Scripted(text)
    assert asked(client).value == "B" and client.unread == 0


def test_names_of_fields_are_no_words_to_the_tolerant_reader() -> None:
    client = Scripted('{"verdict": "A", "why": "cut he', "no")
    request = Request(purpose="p", messages=[{"role": "user", "content": "A or B?"}], repair="A or B only.")
    assert asyncio.run(ask(client, request, lambda text: "A" if "A" in text else None, SHAPE)).value is None


def test_the_reply_that_is_shown_is_bounded() -> None:
    shown = repair_request(Request(purpose="p", messages=[]), "x" * 1_000_000).messages[0]["content"]
    assert len(shown) == 2000


@pytest.mark.parametrize("json_schema", [False, True])
def test_the_schema_reaches_only_a_server_that_knows_schemas(json_schema: bool) -> None:
    with FakeOpenAI(lambda messages: '{"verdict": "A"}' if json_schema else "A") as server:
        role = Role(provider="openai", model="fake", json_schema=json_schema, repetition_penalty=1.0)
        runtime = RuntimeParams(endpoints=Endpoints(teacher=[Endpoint(base_url=server.base_url)]))

        async def go() -> Answer[str]:
            async with open_client("enrich", LLMParams(teacher=role, judge=role), runtime, Path("models/base")) as client:
                request = Request(purpose="p", messages=[{"role": "user", "content": "A or B?"}])
                return await ask(client, request, lambda text: text if text == "A" else None, SHAPE)

        assert asyncio.run(go()).value == "A"
        sent = server.payloads[0].get("response_format")
    assert (sent is not None) == json_schema
    if sent:
        assert sent["type"] == "json_schema" and sent["json_schema"]["name"] == "Choice"
        assert sent["json_schema"]["schema"]["properties"]["verdict"]["enum"] == ["A", "B"]
