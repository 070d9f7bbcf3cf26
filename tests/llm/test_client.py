"""The client against a real server that misbehaves: every row gets an answer or a reason, nothing is paid twice."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from stages.config import load_section
from stages.errors import LLMError, ParamsError
from stages.llm.cache import ResponseCache, cache_path
from stages.llm.client import CallFailed, Client, Reply, Request, map_rows, open_client
from stages.llm.endpoints import open_pool
from stages.llm.failures import finish_reason_of
from stages.llm.params import LLMParams, Role
from stages.llm.schema import StoredResponse
from stages.runtime import Budget, Endpoint, Endpoints, Price, RuntimeParams
from stages.tables import read_table, write_table
from tests.fake_openai import FakeOpenAI, Fault, echo
from tests.llm.conftest import OpenClient


def ask(text: object, **fields: object) -> Request:
    return Request(**({"purpose": "enrich.rewrite", "messages": [{"role": "user", "content": str(text)}]} | fields))


def chat_all(client: Client, texts: list, concurrency: int = 16, **fields: object) -> list[Reply | CallFailed]:
    async def run() -> list[Reply | CallFailed]:
        async with client:
            return await map_rows(texts, lambda text: client.chat(ask(text, **fields)), concurrency=concurrency, label="test")

    return asyncio.run(run())


def answer(text: object) -> str:
    return echo([{"content": str(text)}])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("429", "rate-limited"),
        ("500", "server-error"),
        ("cut", "bad-response"),
        ("garbage", "bad-response"),
        ("shape", "bad-response"),
        ("endless", "timeout"),
        ("endless-body", "bad-response"),
        ("silence", "timeout"),
        ("empty", "empty"),
        ("length", "truncated"),
        ("filtered", "filtered"),
        ("status", "bad-request"),
    ],
)
def test_a_faulty_answer_fails_its_row_with_a_reason_and_no_other(served: OpenClient, kind: str, reason: str) -> None:
    with FakeOpenAI(faults=[Fault(kind, pattern="^bad$")]) as server:
        replies = chat_all(served(server, timeout=0.5, retries=1), ["good", "bad", "fine"])
    assert isinstance(replies[1], CallFailed) and replies[1].reason == reason
    assert [replies[0].text, replies[2].text] == [answer("good"), answer("fine")]


@pytest.mark.parametrize("kind", ["429", "500", "cut", "garbage", "shape", "endless"])
def test_a_fault_that_passes_is_retried_until_every_row_is_answered(served: OpenClient, kind: str) -> None:
    with FakeOpenAI(faults=[Fault(kind, share=0.3, times=1, retry_after="0.05" if kind == "429" else "")]) as server:
        client = served(server, timeout=0.5 if kind == "endless" else 5.0)
        replies = chat_all(client, list(range(40)))
        assert [reply.text for reply in replies] == [answer(number) for number in range(40)]
        assert client.ledger.timings()["retries"] == server.calls - 40 > 3


def test_the_delay_that_the_server_names_is_kept(served: OpenClient) -> None:
    with FakeOpenAI(faults=[Fault("429", times=1, retry_after="0.7")]) as server:
        started = time.monotonic()
        chat_all(served(server), ["a"])
        assert time.monotonic() - started >= 0.7


def test_a_prompt_that_is_too_long_is_named_so(served: OpenClient) -> None:
    body = '{"error": {"code": "context_length_exceeded", "message": "maximum context length is 8192"}}'
    with FakeOpenAI(faults=[Fault("status", status=400, body=body)]) as server:
        assert chat_all(served(server), ["a"])[0].reason == "too-long"
        assert server.calls == 1


@pytest.mark.parametrize(("status", "remedy"), [(401, "key"), (404, "/v1"), (403, "model")])
def test_a_refusal_of_all_calls_ends_the_stage_at_once(served: OpenClient, status: int, remedy: str) -> None:
    with FakeOpenAI(faults=[Fault("status", status=status)]) as server:
        with pytest.raises(LLMError, match=remedy):
            chat_all(served(server), list(range(100)), concurrency=4)
        assert server.calls <= 8


def test_a_spent_quota_is_not_retried(served: OpenClient) -> None:
    with FakeOpenAI(faults=[Fault("429", body='{"error": {"code": "insufficient_quota"}}')]) as server:
        with pytest.raises(LLMError, match="credit"):
            chat_all(served(server), ["a"])
        assert server.calls == 1


def test_an_unreachable_server_ends_the_stage_and_names_it(served: OpenClient) -> None:
    with FakeOpenAI() as server:
        pass
    with pytest.raises(LLMError, match=rf"127.0.0.1:{server.port}.*\n.*runtime.endpoints.teacher"):
        chat_all(served(server), ["a", "b"])


def test_eight_failures_of_one_kind_from_the_start_end_the_stage(served: OpenClient) -> None:
    with FakeOpenAI(faults=[Fault("garbage")]) as server, pytest.raises(LLMError, match="first 8 calls"):
        chat_all(served(server, retries=0), list(range(100)), concurrency=2)
    assert server.calls <= 10


def test_one_slot_serves_many_rows(served: OpenClient) -> None:
    with FakeOpenAI(latency=0.005) as server:
        client = served(server)
        client.runtime = RuntimeParams(endpoints=Endpoints(teacher=[Endpoint(base_url=server.base_url, max_concurrency=2)]))
        assert len(chat_all(client, list(range(30)))) == 30
        assert server.most_in_flight == 2


def test_replicas_share_the_calls_and_stand_in_for_one_that_fails(served: OpenClient) -> None:
    with FakeOpenAI(latency=0.005) as one, FakeOpenAI(faults=[Fault("500")]) as broken, FakeOpenAI(latency=0.005) as two:
        replies = chat_all(served(one, broken, two, retries=4), list(range(60)))
    assert [reply.text for reply in replies] == [answer(number) for number in range(60)]
    assert one.answered > 10 and two.answered > 10


def test_a_second_run_makes_no_call_and_reports_the_same(served: OpenClient) -> None:
    with FakeOpenAI(faults=[Fault("length", pattern="^7$")]) as server:
        cold, warm = served(server), served(server)
        first = chat_all(cold, list(range(20)), allow_truncated=True)
        calls = server.calls
        second = chat_all(warm, list(range(20)), allow_truncated=True)
        assert server.calls == calls == 20
    assert [reply.text for reply in first] == [reply.text for reply in second]
    assert cold.ledger.metrics() == warm.ledger.metrics()
    assert list(cold.used()) == list(warm.used())
    assert warm.ledger.timings()["hits"] == 20


def test_cut_answers_are_asked_for_again(served: OpenClient) -> None:
    with FakeOpenAI(faults=[Fault("length", times=1)]) as server:
        assert chat_all(served(server), ["a"])[0].reason == "truncated"
        assert chat_all(served(server), ["a"])[0].text == answer("a")
        assert chat_all(served(server), ["a"])[0].cached
        assert server.calls == 2


def test_equal_requests_at_the_same_time_share_one_call(served: OpenClient) -> None:
    with FakeOpenAI(latency=0.05) as server:
        client = served(server)
        chat_all(client, ["same"] * 12)
        assert server.calls == client.ledger.metrics()["requests"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"purpose": "enrich.judge"}, {"temperature": 0.9}, {"max_tokens": 7}, {"attempt": 1}, {"messages": [{"role": "system", "content": "a"}]},
    ],
)  # fmt: skip
def test_whatever_changes_the_request_changes_key_and_seed(served: OpenClient, other: dict) -> None:
    with FakeOpenAI() as server:
        replies = [chat_all(served(server), ["a"])[0], chat_all(served(server), ["a"], **other)[0]]
        assert replies[0].key != replies[1].key
        assert server.payloads[0]["seed"] != server.payloads[1]["seed"]


def test_keys_are_those_of_earlier_releases_so_that_paid_answers_stay_valid() -> None:
    teacher = Role(provider="openai", model="fake", temperature=0.2, repetition_penalty=1.0)
    judge = Role(provider="openai", model="judge", temperature=0.0, repetition_penalty=1.1, max_tokens=64)
    client = open_client("enrich", LLMParams(teacher=teacher, judge=judge), RuntimeParams(), Path("models/base"))
    turns = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    calls = [
        client._prepare(ask("Wörter")),
        client._prepare(Request(purpose="enrich.judge", role="judge", messages=turns, max_tokens=7, temperature=0.5, attempt=2)),
    ]
    assert [(call.key, call.payload["seed"]) for call in calls] == [
        ("750c675de8bfd444698974fe8fd4c689b13da2cf6be679d3c9192cc7b62ec86b", 981873582),
        ("b78739ff701d871576fdf97fb9f0922e837f8d84c3990bcfda66534592bbcc7b", 1539546367),
    ]


def test_another_model_is_another_key_and_another_address_is_not(served: OpenClient) -> None:
    with FakeOpenAI() as one, FakeOpenAI() as two:
        first = chat_all(served(one), ["a"])[0]
        assert chat_all(served(two), ["a"])[0].cached
        assert chat_all(served(two, model="other"), ["a"])[0].key != first.key


def test_the_embedded_model_is_known_by_its_weights(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    other = shutil.copytree(tiny_model, tmp_path / "other")
    with open(other / "model.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    keys = {
        open_client("enrich", LLMParams(), RuntimeParams(), folder)._prepare(ask("a")).key
        for folder in (tiny_model, tiny_model, other)
    }
    assert len(keys) == 2


def test_no_endpoint_and_no_key_are_explained(served: OpenClient) -> None:
    with pytest.raises(LLMError, match="runtime.endpoints.teacher"):
        chat_all(served(), ["a"])
    role = Role(provider="openai", model="fake")
    endpoints = Endpoints(teacher=[Endpoint(base_url="https://user:hidden@models.invalid/v1", api_key_env="MY_KEY")])
    client = open_client("enrich", LLMParams(teacher=role), RuntimeParams(endpoints=endpoints), Path("models/base"))
    with pytest.raises(LLMError, match="export MY_KEY") as failed:
        chat_all(client, ["a"])
    assert "hidden" not in str(failed.value)


def test_a_key_is_sent_only_if_it_is_named(served: OpenClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    with FakeOpenAI(key="sk-of-another-service") as server:
        with pytest.raises(LLMError, match='API key provided: "') as refused:  # nothing behind it: no header was sent
            chat_all(served(server), ["a"])
        assert "api_key_env" in str(refused.value)
        assert chat_all(served(server, key="OPENAI_API_KEY"), ["a"])[0].text == answer("a")


def test_a_key_never_leaves_this_machine_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    with pytest.raises(LLMError, match=r"MY_KEY would go to http://models.invalid:8000/v1 unencrypted") as refused:
        open_pool("teacher", [Endpoint(base_url="http://models.invalid:8000/v1", api_key_env="MY_KEY")], timeout=1, retries=0)
    assert "https" in str(refused.value) and "sk-secret" not in str(refused.value)
    for url, name in (
        ("http://models.invalid/v1", ""),
        ("https://models.invalid/v1", "MY_KEY"),
        ("http://127.0.0.1:9/v1", "MY_KEY"),
    ):
        open_pool("teacher", [Endpoint(base_url=url, api_key_env=name)], timeout=1, retries=0)


@pytest.mark.parametrize("url", ["http://host:abc/v1", "host:8000/v1", "ftp://host/v1", "http:///v1", "", "http://host:99999/v1"])
def test_an_address_that_is_none_is_a_message_of_the_params_file(tmp_path: Path, url: str) -> None:
    (tmp_path / "params.yaml").write_text(f'runtime: {{endpoints: {{teacher: [{{base_url: "{url}"}}]}}}}\n')
    with pytest.raises(ParamsError, match=r"section `runtime`: `base_url` is not an address like https://.*teacher\[0\]"):
        load_section("runtime", RuntimeParams, tmp_path / "params.yaml")


def test_the_key_is_in_no_message_and_no_file(served: OpenClient, monkeypatch: pytest.MonkeyPatch, caplog, capfd) -> None:  # type: ignore[no-untyped-def]
    secret = "sk-do-not-tell-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    caplog.set_level("DEBUG")
    repeated = [Fault("status", pattern="told", body=f'{{"error": {{"message": "bad {secret}"}}}}')]
    with FakeOpenAI(lambda messages: f"your key is {secret}", key=secret, faults=repeated) as server:
        replies = chat_all(served(server, retries=0, key="OPENAI_API_KEY"), ["a", "told"])
    with FakeOpenAI(key="another") as server, pytest.raises(LLMError) as refused:
        chat_all(served(server, key="OPENAI_API_KEY"), ["b"])
    stored = b"".join(file.read_bytes() for file in cache_path().parent.iterdir())
    for text in (replies[0].text, str(replies[1]), str(refused.value), caplog.text, *capfd.readouterr()):
        assert secret not in text
    assert secret.encode() not in stored and b"your key is [key]" in stored


@pytest.mark.parametrize(
    ("budget", "prices", "latency"),
    [
        (Budget(tokens=4000), {}, 0.05),
        (Budget(usd=0.004), {"fake": Price(input=1.0, output=1.0)}, 0.05),
        (Budget(seconds=4.0), {}, 0.4),  # long enough for a busy machine to open its first connections
    ],
)
def test_a_budget_is_never_passed_and_what_it_bought_is_kept(
    served: OpenClient, budget: Budget, prices: dict, latency: float
) -> None:
    with FakeOpenAI(lambda messages: "word " * 40, latency=latency) as server:
        client = served(server, budget=budget, prices=prices)
        with pytest.raises(LLMError, match=r"runtime\.budget\.(tokens|usd|seconds)"):
            chat_all(client, [f"a longer question number {number}" for number in range(500)], concurrency=8)
        assert 8 <= server.answered < 200
    spent = client.ledger
    assert spent.tokens <= (budget.tokens or 1e9) and spent.usd <= (budget.usd or 1e9)
    assert spent.calls >= 8
    cache = ResponseCache(cache_path())
    assert len(list(cache.rows())) == spent.calls
    cache.close()


def test_a_warning_says_that_a_model_judges_itself(served: OpenClient, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI() as server:
        chat_all(served(server), ["a"])
        assert "same model" not in capsys.readouterr().err
        chat_all(served(server), ["a", "b"], role="judge")
    assert capsys.readouterr().err.count("teacher and judge are the same model") == 1


def test_a_build_is_repeated_from_its_responses_without_a_model(
    served: OpenClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.llm.__main__ import main

    texts = list(range(12))
    with FakeOpenAI(faults=[Fault("500", pattern="^3$"), Fault("length", pattern="^5$")]) as server:
        client = served(server)
        first = [getattr(reply, "text", None) or reply.reason for reply in chat_all(client, texts)]
        write_table(tmp_path / "responses.parquet", client.used(), StoredResponse)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        main(["import", "--replay-failures", str(tmp_path / "responses.parquet"), "absent.parquet", "--if-present"])
        calls, again = server.calls, served(server)
        assert [getattr(reply, "text", None) or reply.reason for reply in chat_all(again, texts)] == first
        assert server.calls == calls
    assert list(again.used()) == list(client.used()) == read_table(tmp_path / "responses.parquet", StoredResponse)
    assert first[3] == "server-error" and first[5] == "truncated"


def test_a_failure_that_passed_is_not_imported_and_every_repetition_on_its_cache_gives_the_same(
    served: OpenClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.llm.__main__ import main

    faults = [
        Fault("500", pattern="^3$", times=3),
        Fault("empty", pattern="^4$", times=1),
        Fault("length", pattern="^5$", times=1),
    ]
    with FakeOpenAI(faults=faults) as server:
        first = served(server)
        assert [isinstance(reply, CallFailed) for reply in chat_all(first, [3, 4, 5], allow_truncated=True)] == [
            True,
            True,
            False,
        ]
        write_table(tmp_path / "responses.parquet", first.used(), StoredResponse)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        main(["import", str(tmp_path / "responses.parquet")])
        second, third = served(server), served(server)
        replies = chat_all(second, [3, 4, 5], allow_truncated=True)
        assert [replies[0].text, replies[1].text, replies[2].finish_reason] == [answer(3), answer(4), "length"]
        chat_all(third, [3, 4, 5], allow_truncated=True)
    assert list(third.used()) == list(second.used()) and third.ledger.calls == 0


def test_a_failure_names_reason_and_request_and_the_server_is_quoted_once(
    served: OpenClient, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeOpenAI(faults=[Fault("status", pattern="bad", body='{"error": {"message": "port 49152 says no"}}')]) as server:
        replies = chat_all(served(server), ["good", "bad 1", "bad 2"])
    assert all(str(reply).startswith("bad-request: request ") and "49152" not in str(reply) for reply in replies[1:])
    assert capsys.readouterr().err.count("port 49152 says no") == 1


def test_retries_are_counted_while_the_client_is_still_open(served: OpenClient) -> None:
    with FakeOpenAI(faults=[Fault("500", times=2)]) as server:

        async def run() -> dict[str, float]:
            async with served(server) as client:
                await client.chat(ask("a"))
                return client.ledger.timings()

        assert asyncio.run(run())["retries"] == 2


def test_teacher_and_judge_are_told_apart_by_identity_not_by_name(tiny_model: Path) -> None:
    def same(teacher: Role, judge: Role) -> bool:
        return open_client("enrich", LLMParams(teacher=teacher, judge=judge), RuntimeParams(), tiny_model).same_model

    served, embedded = Role(provider="openai", model="one"), Role(model="one")
    assert same(embedded, Role(model="another name")) and same(served, served)
    assert not same(served, embedded) and not same(served, Role(provider="openai", model="two"))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", "stop"), ("eos_token", "stop"), ("end_turn", "stop"), ("STOP", "stop"), (None, "stop"), ("length", "length"),
        ("max_tokens", "length"), ("MAX_TOKENS", "length"), ("abort", "length"), ("content_filter", "content_filter"), ("SAFETY", "content_filter"),
    ],
)  # fmt: skip
def test_reasons_of_all_servers_have_three_names(said: str | None, reason: str) -> None:
    assert finish_reason_of(said) == reason


def test_a_fatal_error_in_one_row_stops_the_others_and_keeps_their_answers(served: OpenClient) -> None:
    with FakeOpenAI(latency=0.02) as server:
        client = served(server)

        async def run() -> None:
            async with client:

                async def work(number: int) -> None:
                    await client.chat(ask(number))
                    if number == 20:
                        raise LLMError("enough")

                await map_rows(range(1000), work, concurrency=4, label="test")

        with pytest.raises(LLMError, match="enough"):
            asyncio.run(run())
        assert server.calls < 40
    assert sqlite3.connect(cache_path()).execute("SELECT count(*) FROM responses").fetchone()[0] >= 21


RUN = """
    import asyncio, sys
    from pathlib import Path
    from stages.llm.client import Request, map_rows, open_client
    from stages.llm.params import LLMParams, Role
    from stages.runtime import Endpoint, Endpoints, RuntimeParams

    role = Role(provider="openai", model="fake", repetition_penalty=1.0)
    runtime = RuntimeParams(endpoints=Endpoints(teacher=[Endpoint(base_url=sys.argv[1])]))

    async def run():
        async with open_client("enrich", LLMParams(teacher=role), runtime, Path("models/base")) as client:
            async def work(number):
                reply = await client.chat(Request(purpose="p", messages=[{"role": "user", "content": f"row {number}"}]))
                print(number, flush=True)
                return reply.text
            Path("answers.txt").write_text("\\n".join(await map_rows(range(300), work, concurrency=16, label="run")))
    asyncio.run(run())
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_run_repeats_no_call_that_a_row_has_seen(tmp_path: Path, seed: int) -> None:
    finished_rows = random.Random(seed).randrange(60, 240)
    with FakeOpenAI(latency=0.02) as server:
        process = run(server, tmp_path)
        seen = [process.stdout.readline() for _ in range(finished_rows)]  # type: ignore[union-attr]
        os.kill(process.pid, signal.SIGKILL)
        seen += process.stdout.readlines()  # type: ignore[union-attr]
        process.wait()
        time.sleep(0.1)
        before = server.by_text.copy()
        assert run(server, tmp_path).wait() == 0
        repeated = {text for text, count in server.by_text.items() if count > 1}
    assert not repeated & {f"row {int(line)}" for line in seen if line.strip().isdigit()}
    assert len(repeated) <= 16 and set(before) <= set(server.by_text)
    assert (tmp_path / "answers.txt").read_text() == "\n".join(answer(f"row {number}") for number in range(300))


def run(server: FakeOpenAI, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", textwrap.dedent(RUN), server.base_url]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def test_what_a_model_thinks_first_is_no_part_of_its_answer(served: OpenClient) -> None:
    said = {"a": "<think>\n\n</think>\n\n9", "b": "\n<think>2 of 3 facts</think> 7", "c": "<think>cut", "d": "a <think> tag"}
    with FakeOpenAI(lambda messages: said[messages[-1]["content"]]) as server:
        replies = chat_all(served(server), list(said))
    assert [reply.text if isinstance(reply, Reply) else reply.reason for reply in replies] == ["9", "7", "empty", "a <think> tag"]


def test_a_placeholder_key_is_a_word_like_any_other_in_an_answer(served: OpenClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_KEY", "none")
    with FakeOpenAI(lambda messages: "none of these", key="none") as server:
        assert chat_all(served(server, key="LOCAL_KEY"), ["a"])[0].text == "none of these"
