"""Requests as files instead of calls: for providers that answer overnight at half the price, and for `vllm run-batch`.

With `runtime.batch_files` set, a request of an `openai` role that is in no cache is written to
`<folder>/<purpose>-<role>-NNN.jsonl` in the form of OpenAI's batch interface
(https://platform.openai.com/docs/guides/batch), and its row waits. At its end the stage stops and says what to do;
`stages.llm.batch_results` brings the answers into the cache, and the next run goes one link of each chain further.
A request file holds what is still waiting: answered requests are taken out of it.

`runtime.budget` holds as requests are written, each with the longest answer that it can have; the tokens of a prompt are an
estimate, because no server has counted any. Its seconds are the provider's.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from stages.errors import LLMError
from stages.llm.failures import Pending
from stages.runtime import Budget, Price

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000  # of one file, as OpenAI takes it
URL = "/v1/chat/completions"
NAME = re.compile(r"(?P<purpose>[\w.]+)-(?P<role>teacher|judge)-(?P<number>\d{3,})\.jsonl")
ABANDONED_AFTER = 24 * 3600  # seconds after which an unfinished file has lost its writer
CHARS_PER_TOKEN = 4  # for the estimate that the user is told
SUBMIT = (
    "Have every file answered: with OpenAI, upload it for `batch` and make a batch for " + URL + "; with a model of your own, "
    "`vllm run-batch -i FILE -o RESULTS.jsonl --model MODEL`. Then `python -m stages.llm batch import RESULTS.jsonl ...` "
    "(error files, too), and run the same command again."
)


class RequestFile(NamedTuple):
    """A file of requests; its name says what they are for."""

    path: Path
    purpose: str
    role: str


class _Message(msgspec.Struct):
    content: str


class _Body(msgspec.Struct):
    model: str
    messages: list[_Message]


class _Line(msgspec.Struct):
    custom_id: str
    body: _Body


class Asked(NamedTuple):
    """A request that waits in a file."""

    key: bytes  # 32
    model: str
    chars: int  # of its prompt


class _Part:
    """A file that is being written; nobody takes it for a request file before it is whole."""

    def __init__(self, folder: Path, purpose: str, role: str) -> None:
        self.folder, self.purpose, self.role = folder, purpose, role
        self.path = folder / f"{purpose}-{role}.{os.getpid()}.part"
        self.file: BinaryIO = self.path.open("wb")
        self.requests = self.bytes = 0

    def takes(self, line: bytes) -> bool:
        return self.requests < MOST_REQUESTS and self.bytes + len(line) <= MOST_BYTES

    def write(self, line: bytes) -> None:
        self.file.write(line)
        self.requests, self.bytes = self.requests + 1, self.bytes + len(line)

    def publish(self) -> Path:
        """Give the whole file its name, the next that is free."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        taken = [int(NAME.fullmatch(one.path.name)["number"]) for one in request_files(self.folder)]  # type: ignore[index]
        number = max(taken, default=0) + 1
        while True:
            path = self.folder / f"{self.purpose}-{self.role}-{number:03}.jsonl"
            try:
                path.open("x").close()  # ours, whoever else is looking for a name
            except FileExistsError:
                number += 1
            else:
                return self.path.replace(path)

    def discard(self) -> None:
        self.file.close()
        self.path.unlink(missing_ok=True)


class BatchFiles:
    """Writes the requests of one stage. A request that waits in a file already is not written again."""

    def __init__(self, folder: Path, stage: str, prices: Mapping[str, Price], budget: Budget) -> None:
        self.folder, self.stage, self.prices, self.budget = folder, stage, prices, budget
        self._parts: dict[str, _Part] = {}
        self._waiting: dict[str, dict[bytes, Path]] = {}  # by purpose and key, read at the first request for that purpose
        self._wanted: set[bytes] = set()
        self._files: dict[Path, int] = {}  # requests of this run, by the file that they wait in
        self._estimate: dict[str, list[int]] = {}  # by model: tokens of prompts, most tokens of answers

    def ask(self, key: str, purpose: str, role: str, payload: Mapping[str, Any]) -> Pending:
        """Put a request where an answer can come from; what its row is told. Raises LLMError if that cannot be written, or would pass the budget."""
        name = bytes.fromhex(key)
        if name not in self._wanted:
            self._reserve(payload)
            with _explained(self.folder):
                self._write(name, key, purpose, role, payload)
            self._wanted.add(name)
        return Pending(f"request {key[:12]} waits for the answer of a batch")

    def close(self, *, keep: bool) -> None:
        """Give the files their names, or with `keep` false throw away what was begun. Raises LLMError if rows wait: the stage has no result."""
        parts, self._parts = list(self._parts.values()), {}
        if not keep:
            for part in parts:
                part.discard()
            return
        with _explained(self.folder):
            for part in parts:
                self._publish(part)
        if self._wanted:
            files = [f"    {path}: {count:,} requests" for path, count in sorted(self._files.items())]
            raise LLMError(
                f"{self.stage}: {len(self._wanted):,} requests wait for the answers of a batch ({self._cost()}):\n"
                + "\n".join(files),
                remedy=SUBMIT,
            )

    def _reserve(self, payload: Mapping[str, Any]) -> None:
        """Count a request, one that waits already as well: all of them together must fit the budget."""
        chars = sum(len(one["content"]) for one in payload["messages"])
        estimate = self._estimate.setdefault(payload["model"], [0, 0])
        estimate[0] += chars // CHARS_PER_TOKEN
        estimate[1] += payload["max_tokens"]
        tokens = sum(map(sum, self._estimate.values()))
        usd = sum(_usd(self.prices[model], *counts) for model, counts in self._estimate.items() if model in self.prices)
        for what, all_of_them, limit in (("tokens", tokens, self.budget.tokens), ("usd", usd, self.budget.usd)):
            if limit and all_of_them > limit:
                raise LLMError(
                    f"{self.stage}: {len(self._wanted):,} requests of this run fit the budget of {limit:g} {what}, the next could pass it.",
                    allowed=f"runtime.budget.{what} = {limit:g}, of a whole run and with the longest answers",
                    remedy="Raise the budget in params.yaml (0 means no limit) or take fewer rows, and run the same command again.",
                )

    def _write(self, name: bytes, key: str, purpose: str, role: str, payload: Mapping[str, Any]) -> None:
        if purpose not in self._waiting:
            self._waiting[purpose] = self._read(purpose)
        if path := self._waiting[purpose].pop(name, None):
            self._files[path] = self._files.get(path, 0) + 1
            return
        line = msgspec.json.encode({"custom_id": key, "method": "POST", "url": URL, "body": payload}) + b"\n"
        kind = f"{purpose}-{role}"
        if kind in self._parts and not self._parts[kind].takes(line):
            self._publish(self._parts.pop(kind))
        if kind not in self._parts:
            self._parts[kind] = _Part(self.folder, purpose, role)
        self._parts[kind].write(line)

    def _publish(self, part: _Part) -> None:
        self._files[part.publish()] = part.requests

    def _read(self, purpose: str) -> dict[bytes, Path]:
        """What waits for `purpose` from earlier runs; half files of a killed run go away."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for part in self.folder.glob("*.part"):
            if time.time() - part.stat().st_mtime > ABANDONED_AFTER:
                part.unlink(missing_ok=True)
        files = [one.path for one in request_files(self.folder) if one.purpose == purpose]
        return {asked.key: path for path in files for asked in requests_of(path)}

    def _cost(self) -> str:
        said = []
        for model, (prompt, completion) in sorted(self._estimate.items()):
            price = self.prices.get(model)
            usd = f", at most {_usd(price, prompt, completion):,.2f} usd by runtime.prices" if price else ""
            said.append(f"{model}: about {prompt:,} tokens in, at most {completion:,} out{usd}")
        return "; ".join(said)


def _usd(price: Price, prompt: int, completion: int) -> float:
    return (prompt * price.input + completion * price.output) / 1e6


def request_files(folder: Path) -> list[RequestFile]:
    """The request files in `folder`, sorted by name."""
    found = [(path, NAME.fullmatch(path.name)) for path in sorted(folder.glob("*.jsonl"))]
    return [RequestFile(path, match["purpose"], match["role"]) for path, match in found if match]


def requests_of(path: Path) -> Iterator[Asked]:
    """What waits in a request file. Raises LLMError for a line that this project has not written."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                read = msgspec.json.decode(line, type=_Line)
                yield Asked(bytes.fromhex(read.custom_id), read.body.model, sum(len(one.content) for one in read.body.messages))
            except (msgspec.DecodeError, ValueError, RecursionError):
                raise LLMError(
                    f"{path}, line {number}: no request that a stage has written.",
                    remedy="Move the file away: what still waits is then written anew by the next run.",
                ) from None


def take_out(path: Path, answered: set[bytes]) -> int:
    """Remove those requests from a request file, and the file with the last. Returns how many still wait."""
    left, part = 0, path.with_suffix(".part")
    with _explained(path.parent):
        with path.open("rb") as file, part.open("wb") as kept:
            for line, asked in zip(file, requests_of(path), strict=True):
                if asked.key not in answered:
                    kept.write(line)
                    left += 1
            kept.flush()
            os.fsync(kept.fileno())
        part.replace(path)
        if not left:
            path.unlink()
    return left


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """A disk that is full or may not be written, as an LLMError."""
    try:
        yield
    except OSError as error:
        raise LLMError(
            f"the batch files in {folder} cannot be read or written: {error.strerror or error}.",
            remedy="Free space, or name a folder of your own in runtime.batch_files of params.yaml, and run the same command again.",
        ) from error
