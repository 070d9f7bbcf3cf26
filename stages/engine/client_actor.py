"""The one client of a Ray run, in a process of its own on the machine where the stage was started.

Limits, budget, ledger and cache are shared state, and the keys of the servers are here and nowhere else: they come
straight from the stage's process and not by Ray's store.
"""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stages.engine.messages import ANSWERS, stop_of
from stages.errors import SecForgeError
from stages.llm.client import Client, Request, open_client
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams
from stages.runtime import RuntimeParams

REQUESTS = msgspec.msgpack.Decoder(Request)


class ClientActor:
    """A Client whose methods other processes call; an actor with many calls at a time."""

    async def open(self, stage: str, sections: bytes, base_model: str, folder: str, secrets: Mapping[str, str]) -> bytes:
        """Open the client in the working directory `folder`. `sections`: msgpack of llm and runtime. Returns b"" or a Stop."""
        os.environ.update(secrets)
        os.chdir(folder)
        llm, runtime = msgspec.msgpack.decode(sections, type=tuple[LLMParams, RuntimeParams])
        try:
            self._client: Client = open_client(stage, llm, runtime, Path(base_model))
        except SecForgeError as error:
            return ANSWERS.encode(stop_of(error))
        return b""

    async def chat(self, request: bytes) -> bytes:
        """The reply to an encoded Request, or why there is none."""
        try:
            return ANSWERS.encode(await self._client.chat(REQUESTS.decode(request)))
        except CallFailed as failure:
            return ANSWERS.encode(failure)
        except SecForgeError as error:
            return ANSWERS.encode(stop_of(error))

    async def figures(self) -> bytes:
        """For those who watch."""
        return msgspec.msgpack.encode(self._client.figures())

    async def same_model(self) -> bool:
        """Whether teacher and judge are one model."""
        return self._client.same_model

    async def metrics(self, unparsed: Mapping[str, int]) -> dict[str, Any]:
        """The ledger's figures, after it has learnt how many replies of each purpose could not be read."""
        for purpose in Counter(unparsed).elements():
            self._client.ledger.parse_failed(purpose)
        return self._client.ledger.metrics()

    async def timings(self) -> dict[str, float]:
        """The ledger's times."""
        return self._client.ledger.timings()

    async def used(self) -> bytes:
        """Keys, one after another, and the responses that the cache may not hold."""
        return msgspec.msgpack.encode(self._client.ledger.used())

    async def close(self) -> None:
        """Finish what is being stored."""
        await self._client.__aexit__(None, None, None)
