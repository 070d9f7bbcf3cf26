"""Answers of a batch, as a provider gives them back, brought into the response cache.

A line is `{"custom_id": ..., "response": {"status_code": ..., "body": {...}}, "error": ...}`; of a refusal OpenAI writes
the body, `vllm run-batch` the error. What it holds is hostile
like any answer of a server: sizes are bounded, forms are checked, and only what was asked for is stored. A refusal for
good (a bad request) is an answer, too, and rejects its row as it would online; one that may pass (429, 500, an expired
batch) takes the request out of its file, and the next run writes it into another.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stages.errors import LLMError
from stages.llm.answers import response_of
from stages.llm.batch import Asked, RequestFile, request_files, requests_of, take_out
from stages.llm.cache import ResponseCache
from stages.llm.failures import FAILED, CallFailed, failure_of
from stages.llm.refusals import refusal
from stages.llm.schema import StoredResponse
from stages.llm.transport import masked
from stages.llm.wire import read_completion

LONGEST_LINE = 16 * 1024 * 1024  # bytes; 4,096 tokens have about 20 KB
TOGETHER = 1000  # answers of one transaction
NOTHING = b"null"  # a body or an error that is not there
UNREADABLE, FOREIGN, REPEATED, KNOWN = "cannot be read", "never asked for", "twice in the file", "imported before"


class _Response(msgspec.Struct):
    body: msgspec.Raw = msgspec.Raw(NOTHING)
    status_code: int = 200


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: msgspec.Raw = msgspec.Raw(NOTHING)  # each program has a form of its own: see `_fault`
    method: str = ""  # only requests have one


class _Fault(NamedTuple):
    """The error of a line."""

    status: int  # 0: it names none
    text: str


class _Read(NamedTuple):
    """An answer that is not in the cache yet."""

    file: int
    key: bytes
    answer: StoredResponse


class Report(msgspec.Struct):
    """What one results file came to."""

    stored: int = 0
    failed: Counter[str] = msgspec.field(default_factory=Counter)  # for good, by reason; stored, too
    again: Counter[str] = msgspec.field(default_factory=Counter)  # to be asked again, by what was said
    passed: Counter[str] = msgspec.field(default_factory=Counter)  # lines not used, by reason
    first: dict[str, str] = {}  # where the first of each is


class Results:
    """The requests that wait in `folder`, and what has come of them."""

    def __init__(self, folder: Path, cache: ResponseCache, secrets: Sequence[str]) -> None:
        """Raises LLMError if nothing waits there, or a request file is damaged."""
        self.cache, self.files, self._secrets = cache, request_files(folder), secrets
        self._asked: dict[bytes, tuple[int, Asked]] = {
            asked.key: (number, asked) for number, file in enumerate(self.files) for asked in requests_of(file.path)
        }
        self._done: list[set[bytes]] = [set() for _ in self.files]
        self._again: list[set[bytes]] = [set() for _ in self.files]
        self._seen = set[bytes]()
        self._ready: list[_Read] = []

    def read(self, path: Path) -> Report:
        """Store the answers of one results file. Raises LLMError if it is none, or nothing in it was asked for."""
        report, seen = Report(), 0
        for number, line in _lines(path):
            if line.strip():
                seen += 1
                self._take(line, f"line {number}", report, path)
            if len(self._ready) >= TOGETHER:
                self._store()
        self._store()
        useless = report.passed[UNREADABLE] + report.passed[FOREIGN]
        if not seen or useless == seen:
            why = "it is empty" if not seen else f"of its {seen:,} lines {_counts(report.passed)}"
            raise LLMError(
                f"{path} holds no answer to a request that waits: {why}.",
                allowed="the output and error files of a batch that was made of a request file",
                remedy="Compare `python -m stages.llm batch status`; a request file must stay in its folder until its answers are in.",
            )
        return report

    def settle(self) -> list[tuple[Path, int]]:
        """Take what is answered or must be asked anew out of the request files. Returns what still waits, by file."""
        pairs = zip(self.files, self._done, self._again, strict=True)
        left = [(file.path, take_out(file.path, done | again)) for file, done, again in pairs if done or again]
        touched = {path for path, _ in left}
        others = [(file.path, sum(1 for _ in requests_of(file.path))) for file in self.files if file.path not in touched]
        return sorted((path, count) for path, count in left + others if count)

    def _take(self, line: bytes, where: str, report: Report, path: Path) -> None:
        try:
            read = msgspec.json.decode(line, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _pass(report, UNREADABLE, where)
        if read.method:
            raise LLMError(
                f"{path} is a file of requests, not of their answers.",
                remedy="Have it answered (see `python -m stages.llm batch --help`) and import what comes back.",
            )
        found = self._asked.get(_key(read.custom_id))
        if found is None:
            known = len(read.custom_id) == 64 and self.cache.get(read.custom_id) is not None
            return _pass(report, KNOWN if known else FOREIGN, f"{where}, custom_id {read.custom_id[:80]!a}")
        number, asked = found
        if asked.key in self._seen:
            return _pass(report, REPEATED, where)
        answer, again = self._answer(read, self.files[number], asked)
        if answer is None:
            report.again[again] += 1
            self._again[number].add(asked.key)
            return None
        self._seen.add(asked.key)
        self._ready.append(_Read(number, asked.key, answer))
        failure = failure_of(answer, allow_truncated=True)
        report.stored += not failure
        report.failed.update([failure] if failure else [])
        return None

    def _answer(self, line: _Line, file: RequestFile, asked: Asked) -> tuple[StoredResponse | None, str]:
        """What a line says: an answer or a failure for good; else None and why it is to be asked again."""
        fault = _fault(line.error)
        body, status = (bytes(line.response.body), line.response.status_code) if line.response else (NOTHING, 0)
        if body == NOTHING and status < 300:
            status = fault.status  # the only one that is named
        if not status:
            return None, _shown(fault.text or "no answer")
        if not 200 <= status < 300:
            parts = [b"" if part == NOTHING else part for part in (body, bytes(line.error))]
            said = " ".join(masked(part[:1200].decode(errors="replace"), self._secrets)[:300] for part in parts)
            error = refusal(file.role, status, said, "the batch", "")
            if isinstance(error, CallFailed):
                return _failure(asked, file, error.reason), ""
            return None, f"status {status}"
        try:
            completion = read_completion(body)
        except ValueError:
            return None, "bad-response"
        return response_of(asked.key.hex(), file.purpose, asked.model, completion, asked.chars, self._secrets), ""

    def _store(self) -> None:
        """Failures are kept as answers, else each round would pay for them again; `gc` removes them.

        A request is done when its answer is in the cache: if that cannot be written, it still waits.
        """
        answers = [one.answer for one in self._ready]
        self.cache.store([one for one in answers if not failure_of(one, allow_truncated=False)])
        self.cache.store([one for one in answers if failure_of(one, allow_truncated=False)], replay=True)
        for one in self._ready:
            self._done[one.file].add(one.key)
        self._ready = []


def described(report: Report) -> str:
    """One line for a person."""
    parts = [f"{report.stored:,} answers stored"]
    if report.failed:
        parts.append(f"{report.failed.total():,} refused for good ({_counts(report.failed)})")
    if report.again:
        parts.append(f"{report.again.total():,} to be asked again ({_counts(report.again)})")
    parts += [f"{count:,} lines {why} (the first: {report.first[why]})" for why, count in sorted(report.passed.items())]
    return "; ".join(parts)


def _fault(error: msgspec.Raw) -> _Fault:
    """An object with `code` and `message`, the same under `error`, or a text; a `code` that is a number is a status."""
    try:
        said = msgspec.json.decode(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Fault(0, UNREADABLE)
    if isinstance(said, dict) and isinstance(said.get("error"), dict | str):
        said = said["error"]
    if not isinstance(said, dict):
        return _Fault(0, said if isinstance(said, str) else "")
    code, message = said.get("code"), said.get("message")
    status = code if isinstance(code, int) and 300 <= code < 600 else 0
    return _Fault(status, next((text for text in (code, message) if isinstance(text, str) and text), ""))


def _failure(asked: Asked, file: RequestFile, reason: str) -> StoredResponse:
    return StoredResponse(
        key=asked.key.hex(), namespace=file.purpose, model=asked.model, text="",
        finish_reason=FAILED + reason, prompt_tokens=0, completion_tokens=0,
    )  # fmt: skip


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines and their numbers; of one that is too long only an unreadable beginning."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        pass
                yield number, line.removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise LLMError(
            f"{path} cannot be read: {os.strerror(error.errno or 0)}.", remedy="Name the file that was downloaded."
        ) from error


def _key(custom_id: str) -> bytes:
    try:
        return bytes.fromhex(custom_id)
    except ValueError:
        return b""


def _pass(report: Report, why: str, where: str) -> None:
    report.passed[why] += 1
    report.first.setdefault(why, where)


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counted.most_common(8))


def _shown(text: str) -> str:
    """What a provider said, safe on a terminal."""
    return ascii(text[:60])[1:-1]
