"""The responses that a build used, read from the cache when they are asked for: a million texts need no memory."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from stages.errors import LLMError
from stages.llm.cache import ResponseCache
from stages.llm.schema import StoredResponse

TOGETHER = 500  # responses in memory at once
KEY = 32  # bytes


class UsedResponses:
    """Every response that a build used, sorted by key; failures too, so that a build can be repeated without a model.

    Can be read many times, also when the client is closed.
    """

    def __init__(self, path: Path, shared: Path | None, keys: bytes, kept: Mapping[str, StoredResponse]) -> None:
        """`keys` are sorted, KEY bytes each; `kept` are those that the caches at `path` and `shared` may not hold, by key."""
        self._path, self._shared, self._keys, self._kept = path, shared, keys, kept

    def __len__(self) -> int:
        return len(self._keys) // KEY

    def __iter__(self) -> Iterator[StoredResponse]:
        """Raises LLMError for a response that the cache has lost."""
        with closing(ResponseCache(self._path, self._shared)) as cache:
            for start in range(0, len(self._keys), TOGETHER * KEY):
                keys = self._keys[start : start + TOGETHER * KEY].hex("\n", KEY).split()
                found = {one.key: one for one in cache.get_all([key for key in keys if key not in self._kept])}
                for key in keys:
                    response = self._kept.get(key) or found.get(key)
                    if response is None:
                        raise self._lost(key)
                    yield response

    def _lost(self, key: str) -> LLMError:
        return LLMError(
            f"the response cache {self._path} has lost an answer that this build used: {key}.",
            remedy="Another process removed it (`python -m stages.llm gc`): run the same command again.",
        )
