"""What requests came to: each key once, figures as plain addition gives them, and memory that does not grow with the requests."""

import hashlib
import os
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import LLMError
from stages.llm.counted import CACHED_KB, Counted, Kind
from stages.llm.ledger import Ledger
from stages.llm.schema import StoredResponse
from stages.runtime import Price

KIND = Kind("enrich.rewrite", "m", "stop", "")
PRICES = {"m": Price(input=0.3, output=1.1), "n": Price(input=0.07, output=0.13)}


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def response(number: int, purpose: str, model: str, finish: str, prompt: int, completion: int) -> StoredResponse:
    return StoredResponse(
        key=key(number).hex(), namespace=purpose, model=model, text="t", finish_reason=finish,
        prompt_tokens=prompt, completion_tokens=completion,
    )  # fmt: skip


RESPONSES = st.builds(
    response, st.integers(0, 9), st.sampled_from(["a.x", "a.y"]), st.sampled_from(["m", "n", "free"]),
    st.sampled_from(["stop", "length"]), st.integers(0, 2**31), st.integers(0, 2**31),
)  # fmt: skip
USED = st.lists(st.tuples(RESPONSES, st.sampled_from(["", "too-long", "empty"])))


@settings(deadline=None)
@given(USED)
def test_the_figures_are_those_of_plain_addition_over_the_last_use_of_each_request(
    used: list[tuple[StoredResponse, str]],
) -> None:
    ledger = Ledger(PRICES)
    for one, failure in used:
        ledger.use(one, failure)
    last = {one.key: (one, failure) for one, failure in used}
    found = ledger.metrics()
    assert found["requests"] == len(last) and sorted(found["by_purpose"]) == sorted({one.namespace for one, _ in last.values()})
    for name, figures in (("", found), *found["by_purpose"].items()):
        some = [(one, failure) for one, failure in last.values() if name in ("", one.namespace)]
        assert figures["prompt_tokens"] == sum(one.prompt_tokens for one, _ in some)
        assert figures["completion_tokens"] == sum(one.completion_tokens for one, _ in some)
        assert figures["truncated"] == sum(one.finish_reason == "length" for one, _ in some)
        assert figures["failures"] == Counter(failure for _, failure in some if failure)
        costs = sorted(ledger.cost(one.model, one.prompt_tokens, one.completion_tokens) for one, _ in some)
        assert figures["usd"] == round(sum(costs), 6)
    assert ledger.used()[0] == b"".join(sorted(map(bytes.fromhex, last)))


def test_no_requests_are_no_figures() -> None:
    ledger = Ledger(PRICES)
    assert ledger.metrics()["requests"] == ledger.metrics()["usd"] == 0 and ledger.used() == (b"", {})


def test_an_entry_is_found_by_its_key_and_the_last_one_counts() -> None:
    counted = Counted()
    counted.put_all((key(number), KIND, number, 1) for number in range(3))
    counted.put(key(1), KIND._replace(model="n"), 7, 8)
    assert counted.get(key(1)) == (KIND._replace(model="n"), 7, 8) and counted.get(key(9)) is None and len(counted) == 3


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the kernel's figures of Linux")
def test_memory_does_not_grow_with_the_requests() -> None:
    counted, before = Counted(), resident_kb()
    for start in range(0, 300_000, 10_000):
        counted.put_all((os.urandom(32), KIND, number, number) for number in range(start, start + 10_000))
    assert len(counted) == 300_000 and resident_kb() - before < 2 * CACHED_KB, "they are 20 MB in the file"


def test_a_full_disk_says_what_to_do() -> None:
    counted = Counted()
    counted._database.execute("PRAGMA max_page_count = 20")
    with pytest.raises(LLMError, match="SQLITE_TMPDIR"):
        for number in range(5_000):
            counted.put(key(number), KIND, 1, 1)
    uses = (counted.sums, counted.keys, lambda: len(counted), lambda: list(counted.sizes()), lambda: counted.get(key(0)))
    for use in (*uses, lambda: counted.put(key(0), KIND, 1, 1), lambda: counted.put_all([(key(0), KIND, 1, 1)])):
        with pytest.raises(LLMError, match="SQLITE_TMPDIR"):
            use()


def test_an_error_that_is_not_the_folder_s_has_no_word_of_it_and_is_not_forgotten() -> None:
    counted = Counted()
    counted.put(key(1), KIND, 1, 1)
    with pytest.raises(sqlite3.IntegrityError):
        counted.put(key(2), KIND, None, 1)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        counted.sums()


def resident_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
