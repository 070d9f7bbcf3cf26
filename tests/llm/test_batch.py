"""Batch files: requests written instead of sent, answers brought back, and rounds that end in the tables of an online run."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.errors import InputError, LLMError
from stages.llm import batch as batch_module
from stages.llm.__main__ import main
from stages.llm.answers import response_of
from stages.llm.batch import request_files
from stages.llm.cache import ResponseCache, cache_path
from stages.llm.client import CallFailed, Client, Reply, Request, map_rows, open_client
from stages.llm.params import LLMParams, Role
from stages.llm.schema import StoredResponse
from stages.llm.wire import read_completion
from stages.runtime import Budget, Price, RuntimeParams
from tests import fake_teacher
from tests.enrich.test_run import hashes, make_inputs
from tests.enrich.test_run import run as run_stages
from tests.fake_openai import FakeOpenAI, completion, echo

FOLDER = Path("batch")
Answer = Callable[[dict[str, Any]], dict[str, Any]]  # a request line to a results line


def open_batch(stage: str = "enrich", **runtime: object) -> Client:
    role = Role(provider="openai", model="fake", repetition_penalty=1.0)
    return open_client(
        stage, LLMParams(teacher=role, judge=role), RuntimeParams(batch_files=str(FOLDER), **runtime), Path("none")
    )


def ask_all(texts: list[str], **runtime: object) -> list[Reply | CallFailed]:
    """A stage of two links: the second asks about the reply to the first."""

    async def go() -> list[Reply | CallFailed]:
        async with open_batch(**runtime) as client:

            async def chain(text: str) -> Reply:
                first = await client.chat(request(text))
                return await client.chat(request(first.text, "enrich.judge", role="judge"))

            return list(await map_rows(texts, chain, concurrency=4, label="test"))

    return asyncio.run(go())


def request(text: str, purpose: str = "enrich.rewrite", **fields: Any) -> Request:
    return Request(purpose=purpose, messages=[{"role": "user", "content": text}], **fields)


def good(line: dict[str, Any]) -> dict[str, Any]:
    """A provider's line for a request that it answered."""
    body = completion(echo(line["body"]["messages"]))
    return {"id": "r", "custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}


def refused(status: int, message: str = "refused") -> Answer:
    body = {"error": {"message": message}}
    return lambda line: {"custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": None}


def expired(line: dict[str, Any]) -> dict[str, Any]:
    return {"custom_id": line["custom_id"], "response": None, "error": {"code": "batch_expired", "message": "too late"}}


def answered(answer: Answer = good, name: str = "results.jsonl") -> str:
    """A results file for everything that waits; its name."""
    lines = [json.loads(line) for file in request_files(FOLDER) for line in file.path.read_text().splitlines()]
    Path(name).write_text("".join(json.dumps(answer(line)) + "\n" for line in lines))
    return name


def bring(*files: str, folder: Path = FOLDER) -> None:
    main(["batch", "import", *files, "--folder", str(folder)])


def waiting() -> dict[str, int]:
    return {file.path.name: len(file.path.read_text().splitlines()) for file in request_files(FOLDER)}


def test_a_chain_goes_one_link_further_with_each_round(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [f"text {number}" for number in range(10)]
    with pytest.raises(
        LLMError, match=r"10 requests wait(.|\n)*enrich\.rewrite-teacher-001\.jsonl: 10 requests(.|\n)*batch import"
    ):
        ask_all(texts)
    line = json.loads((FOLDER / "enrich.rewrite-teacher-001.jsonl").read_text().splitlines()[0])
    assert sorted(line) == ["body", "custom_id", "method", "url"] and line["url"] == "/v1/chat/completions"
    assert sorted(line["body"]) == ["max_tokens", "messages", "model", "seed", "temperature"]
    bring(answered())
    assert waiting() == {} and "10 answers stored" in capsys.readouterr().out
    with pytest.raises(LLMError, match=r"enrich\.judge-judge-001\.jsonl: 10"):
        ask_all(texts)
    bring(answered())
    replies = ask_all(texts)
    assert [one.text for one in replies] == [echo([{"content": echo([{"content": text}])}]) for text in texts]  # type: ignore[union-attr]


def test_what_waits_in_a_file_is_not_written_again() -> None:
    for texts in (["a", "b", "b"], ["a", "b", "c"]):
        with pytest.raises(LLMError, match=f"{len(set(texts))} requests wait"):
            ask_all(texts)
    assert waiting() == {"enrich.rewrite-teacher-001.jsonl": 2, "enrich.rewrite-teacher-002.jsonl": 1}


def test_files_are_no_larger_than_the_provider_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "MOST_REQUESTS", 4)
    with pytest.raises(LLMError, match="10 requests wait"):
        ask_all([f"text {number}" for number in range(10)])
    assert list(waiting().values()) == [4, 4, 2]
    monkeypatch.setattr(batch_module, "MOST_BYTES", 1000)
    with pytest.raises(LLMError):
        ask_all(["x" * 400, "y" * 400, "z" * 400])
    assert list(waiting().values()) == [4, 4, 2, 1, 1, 1]


def test_a_stage_that_fails_for_another_reason_leaves_no_half_file() -> None:
    async def go() -> None:
        async with open_batch() as client:
            with pytest.raises(batch_module.Pending):
                await client.chat(request("a"))
            raise ValueError("another reason")

    with pytest.raises(ValueError, match="another reason"):
        asyncio.run(go())
    assert list(FOLDER.iterdir()) == []


def test_a_price_tells_what_the_requests_would_cost() -> None:
    with pytest.raises(LLMError, match=r"about 250 tokens in, at most 256 out, at most 2\.81 usd"):
        ask_all(["text" * 250], prices={"fake": Price(input=1000.0, output=10000.0)})


def test_what_may_pass_is_asked_again_and_what_may_not_rejects_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = {"busy": refused(429), "broken": refused(500), "late": expired, "long": refused(400, "maximum context length is 5")}

    def answer(line: dict[str, Any]) -> dict[str, Any]:
        return kinds.get(line["body"]["messages"][0]["content"], good)(line)

    with pytest.raises(LLMError, match="5 requests wait"):
        ask_all([*kinds, "fine"])
    bring(answered(answer))
    said = capsys.readouterr().out
    assert "1 answers stored; 1 refused for good (1 too-long); 3 to be asked again (" in said and "1 batch_expired" in said
    assert waiting() == {}
    with pytest.raises(LLMError, match="4 requests wait"):  # three first links, and the second of the good one
        ask_all([*kinds, "fine"])
    bring(answered())
    with pytest.raises(LLMError, match="3 requests wait"):
        ask_all([*kinds, "fine"])
    bring(answered())
    replies = ask_all([*kinds, "fine"])
    assert [one.reason if isinstance(one, CallFailed) else "" for one in replies] == ["", "", "", "too-long", ""]


def test_an_import_that_stops_loses_no_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [f"text {number}" for number in range(4)]
    with pytest.raises(LLMError):
        ask_all(texts)
    monkeypatch.setattr("stages.llm.batch_results.TOGETHER", 2)
    store, stored = ResponseCache.store, []

    def full(self: ResponseCache, responses: list[StoredResponse], *, replay: bool = False) -> int:
        stored.extend(responses)
        if len(stored) > 2:
            raise LLMError("the disk is full.", remedy="Free space.")
        return store(self, responses, replay=replay)

    with monkeypatch.context() as patch:
        patch.setattr(ResponseCache, "store", full)
        with pytest.raises(SystemExit, match="the disk is full"):
            bring(answered())
    assert waiting() == {"enrich.rewrite-teacher-001.jsonl": 2}
    bring("results.jsonl")
    assert "2 answers stored; 2 lines imported before" in capsys.readouterr().out and waiting() == {}


LONG = "This model's maximum context length is 5 tokens."


@pytest.mark.parametrize(
    "response, error, reason",
    [
        ({"status_code": 400, "body": None}, {"error": {"message": LONG, "type": "BadRequestError", "code": 400}}, "too-long"),
        ({"status_code": 400, "body": None}, {"object": "error", "message": LONG, "code": 400}, "too-long"),
        ({"status_code": 400, "body": None}, LONG, "too-long"),
        ({"status_code": 400}, "The URL is not known.", "bad-request"),
        ({"status_code": 400, "body": None}, ["a", 1, None], "bad-request"),
        ({"status_code": 200, "body": None}, {"error": {"message": LONG, "code": 400}}, "too-long"),
        (None, {"message": LONG, "code": 400}, "too-long"),
        ({"status_code": 500, "body": None}, {"error": {"message": LONG, "code": 500}}, "status 500"),
        (None, "it was cancelled", "it was cancelled"),
        (None, {"code": None, "message": "late"}, "late"),
        (None, None, "no answer"),
        (None, 10**30, "no answer"),
    ],
)
def test_errors_are_understood_in_the_form_of_every_program(
    response: Any, error: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LLMError):
        ask_all(["a"])
    bring(answered(lambda line: {"id": "vllm-1", "custom_id": line["custom_id"], "response": response, "error": error}))
    said = capsys.readouterr().out
    if reason in ("too-long", "bad-request"):
        assert f"1 refused for good (1 {reason})" in said
        assert [one.reason for one in ask_all(["a"])] == [reason]  # type: ignore[union-attr]
    else:
        assert f"1 to be asked again (1 {reason})" in said


def test_a_refusal_for_good_ends_the_rounds_of_a_request_with_a_cut_answer() -> None:
    with pytest.raises(LLMError):
        ask_all(["a"])
    cut = completion("half an ans", "length")
    key = json.loads((FOLDER / "enrich.rewrite-teacher-001.jsonl").read_text())["custom_id"]
    cache = ResponseCache(cache_path())
    cache.store([response_of(key, "enrich.rewrite", "fake", read_completion(json.dumps(cut).encode()), 1)])
    cache.close()
    with pytest.raises(LLMError, match="1 requests wait"):
        ask_all(["a"])
    bring(answered(refused(400)))
    assert [one.reason for one in ask_all(["a"])] == ["truncated"]  # type: ignore[union-attr]


@pytest.mark.parametrize("budget", [Budget(tokens=2 * 256 + 2), Budget(usd=0.0053)])
def test_no_more_is_written_than_the_budget_allows(budget: Budget) -> None:
    prices = {"fake": Price(input=1.0, output=10.0)}
    with pytest.raises(LLMError, match="2 requests wait"):
        ask_all(["text", "more"], budget=budget, prices=prices)
    with pytest.raises(LLMError, match=r"2 requests of this run fit the budget of(.|\n)*runtime\.budget\.(tokens|usd) = "):
        ask_all(["text", "more", "third"], budget=budget, prices=prices)
    assert waiting() == {"enrich.rewrite-teacher-001.jsonl": 2}


def test_money_cannot_be_limited_in_a_batch_whose_price_is_not_known() -> None:
    with pytest.raises(LLMError, match="the price of fake is not known"):
        ask_all(["a"], budget=Budget(usd=1.0))
    assert waiting() == {}


@pytest.mark.parametrize("finish, text, reason", [("length", "half an ans", "truncated"), ("stop", "  ", "empty")])
def test_an_answer_of_no_use_is_final_so_that_rounds_end(finish: str, text: str, reason: str) -> None:
    with pytest.raises(LLMError):
        ask_all(["a"])
    body = completion(text, finish)
    bring(answered(lambda line: {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}}))
    assert [one.reason for one in ask_all(["a"])] == [reason]  # type: ignore[union-attr]


def test_lines_that_are_cut_doubled_foreign_or_hostile_are_counted_and_harm_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [f"text {number}" for number in range(4)]
    with pytest.raises(LLMError):
        ask_all(texts)
    lines = Path(answered()).read_text().splitlines()
    foreign = lines[0].replace(json.loads(lines[0])["custom_id"], "../\\u001b[2J" + "f" * 90)
    deep = f'{{"custom_id": "{json.loads(lines[2])["custom_id"]}", "response": {{"body": {"[" * 100_000}'
    Path("mixed.jsonl").write_text(
        "\n".join(["\ufeff" + lines[0], lines[0], foreign, deep, "", '"text"', "\x00", lines[1], lines[3][:50]])
    )
    bring("mixed.jsonl")
    said = capsys.readouterr().out
    assert "2 answers stored" in said and "1 lines twice in the file (the first: line 2)" in said
    assert "1 lines never asked for (the first: line 3" in said and "4 lines cannot be read (the first: line 4)" in said
    assert "\x1b" not in said and "2 requests still wait" in said
    bring("results.jsonl")
    assert "2 answers stored" in (said := capsys.readouterr().out) and "2 lines imported before" in said
    assert waiting() == {}


def test_an_answer_is_read_as_one_from_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thoughts and keys are taken out; a body of the wrong form is asked for again; a line has a largest size."""
    key = "sk-canary-5b0c9f27e1d84a6c"
    monkeypatch.setenv("THE_KEY", key)
    Path("params.yaml").write_text(
        f"runtime: {{batch_files: {FOLDER}, endpoints: {{teacher: [{{base_url: 'https://x.org/v1', api_key_env: THE_KEY}}], "
        "judge: [{base_url: 'https://y.org/v1', api_key_env: NOT_SET}]}}"
    )
    with pytest.raises(LLMError):
        ask_all(["a", "b"])
    bodies = {"a": completion(f"<think>hm</think>It is {key}."), "b": {"choices": "none"}}
    main(["batch", "import", answered(lambda line: {
        "custom_id": line["custom_id"], "response": {"status_code": 200, "body": bodies[line["body"]["messages"][0]["content"]]}
    })])  # fmt: skip
    cache = ResponseCache(cache_path())
    assert [one.text for one in cache.rows()] == ["It is [key]."]
    cache.close()
    monkeypatch.setattr("stages.llm.batch_results.LONGEST_LINE", 100)
    with pytest.raises(LLMError, match="2 requests wait"):
        ask_all(["a", "b"])
    with pytest.raises(SystemExit, match="of its 2 lines 2 cannot be read"):
        bring(answered())


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "it is empty"),
        ("\x89PNG\n\x00\n", "2 cannot be read"),
        ('{"custom_id": "x", "response": {"body": {}}}', "1 never asked for"),
    ],
)
def test_a_file_given_by_mistake_is_named(content: str, message: str) -> None:
    with pytest.raises(LLMError):
        ask_all(["a"])
    Path("wrong.jsonl").write_text(content)
    with pytest.raises(SystemExit, match=re.escape(message)):
        bring("wrong.jsonl")
    with pytest.raises(SystemExit, match="is a file of requests"):
        bring(str(FOLDER / "enrich.rewrite-teacher-001.jsonl"))
    with pytest.raises(SystemExit, match="cannot be read: No such file"):
        bring("missing.jsonl")
    with pytest.raises(SystemExit, match="is no folder"):
        bring("wrong.jsonl", folder=Path("elsewhere"))
    assert waiting() == {"enrich.rewrite-teacher-001.jsonl": 1}


def test_a_request_file_that_was_edited_is_named_with_its_line() -> None:
    with pytest.raises(LLMError):
        ask_all(["a"])
    with (FOLDER / "enrich.rewrite-teacher-001.jsonl").open("a") as file:
        file.write('{"custom_id": "not a key"}\n')
    with pytest.raises(LLMError, match=r"001\.jsonl, line 2"):
        ask_all(["a"])


def test_status_says_what_waits(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LLMError):
        ask_all(["a", "b"])
    main(["batch", "status", str(FOLDER)])
    assert "enrich.rewrite-teacher-001.jsonl: 2 requests, 0.0 MB, fake" in capsys.readouterr().out
    bring(answered())
    main(["batch", "status", str(FOLDER)])
    assert "no request waits" in capsys.readouterr().out


def test_rounds_of_batches_make_the_tables_of_an_online_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ground and enrich, some answers lost on the way: the last round makes nothing new and the outputs are the same bytes."""
    online, offline = tmp_path / "online", tmp_path / "offline"
    for root in (online, offline):
        make_inputs(root)
    with FakeOpenAI(behaviour=fake_teacher.behaviour) as server:
        run_stages(online, server.base_url, monkeypatch)
        calls = server.calls
    seen: set[str] = set()

    def answer(line: dict[str, Any]) -> dict[str, Any]:
        if line["custom_id"] not in seen and line["custom_id"][0] == "0":
            seen.add(line["custom_id"])
            return expired(line)
        seen.add(line["custom_id"])
        body = completion(fake_teacher.behaviour(line["body"]["messages"]), prompt_tokens=_prompt_tokens(line))
        return {"custom_id": line["custom_id"], "response": {"status_code": 200, "body": body}}

    for rounds in range(1, 20):  # noqa: B007 - the number is looked at below
        try:
            run_stages(offline, "http://127.0.0.1:9/v1", monkeypatch, more="batch_files: batch")
        except LLMError as stopped:
            assert "requests wait" in str(stopped)
            bring(answered(answer))
        else:
            break
    assert 4 < rounds < 19 and len(seen) == calls
    assert hashes(offline) == hashes(online)


def _prompt_tokens(line: dict[str, Any]) -> int:
    return len("\n".join(message["content"] for message in line["body"]["messages"])) // 4


def test_half_files_of_a_killed_run_are_no_requests_and_go_away(monkeypatch: pytest.MonkeyPatch) -> None:
    FOLDER.mkdir()
    part = FOLDER / "enrich.rewrite-teacher.4711.part"
    part.write_text('{"custom_id": "cut')
    with pytest.raises(LLMError, match="1 requests wait"):
        ask_all(["a"])
    assert part.exists()  # another process may be writing it
    monkeypatch.setattr(batch_module, "ABANDONED_AFTER", -1)
    with pytest.raises(LLMError, match="1 requests wait"):
        ask_all(["a"])
    assert not part.exists()


def test_a_folder_that_cannot_be_written_ends_the_stage_with_a_remedy() -> None:
    FOLDER.write_text("a file where the folder should be")
    with pytest.raises(LLMError, match=r"batch files in batch cannot be read or written(.|\n)*runtime\.batch_files"):
        ask_all(["a"])


def test_a_model_that_runs_in_process_is_asked_and_not_written_about() -> None:
    """Only roles with the provider `openai` go into files."""
    llm = LLMParams(judge=Role(provider="openai", model="fake"))

    async def go() -> None:
        async with open_client("enrich", llm, RuntimeParams(batch_files=str(FOLDER)), Path("none")) as client:
            await client.chat(request("a"))

    with pytest.raises(InputError, match="none holds no model"):
        asyncio.run(go())
    assert not FOLDER.exists()
