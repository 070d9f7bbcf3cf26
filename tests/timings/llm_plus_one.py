"""3,200 answers in the cache, then one row new, then one purpose's prompt changed: exactly the affected calls; a no-op of 100,000 rows."""

from stages.llm.cache import ResponseCache, cache_path
from stages.llm.client import Request
from stages.llm.schema import StoredResponse
from tests.timings.llm_load import CALLS, client_for, run_ours, served, stats, text
from tests.timings.table import Line, print_table

MANY = 100_000


def main() -> None:
    """Print the table."""
    with served() as url:
        lines, made = [], 0
        for what, rows, expected in (("cold", CALLS, CALLS), ("unchanged", CALLS, 0), ("one row more", CALLS + 1, 1)):
            result = run_ours(url, rows)
            calls, made = stats(url)["calls"] - made, stats(url)["calls"]
            lines.append(Line(f"{what}: calls", f"{calls:.0f}", "-", str(expected), "-", f"{result.seconds:.2f} s"))
        lines.append(_no_op(url))
    print_table("llm_plus_one (exactly the affected calls; no-op of 100,000 rows <= 2 s)", lines)


def _no_op(url: str) -> Line:
    """Fill the cache with answers of a usual size, then ask for all of them."""
    client = client_for(url)
    requests = [Request(purpose="p", messages=[{"role": "user", "content": text(row, "many")}]) for row in range(MANY)]
    cache = ResponseCache(cache_path())
    cache.store([_stored(client._prepare(request).key) for request in requests])
    cache.close()
    before = stats(url)["calls"]
    result = run_ours(url, MANY, "many", client)
    calls = stats(url)["calls"] - before
    return Line(
        f"no-op of {MANY:,} rows, s", f"{result.seconds:.2f}", "-", "2", "-", f"{calls:.0f} calls, {result.cpu:.2f} CPU s"
    )


def _stored(key: str) -> StoredResponse:
    return StoredResponse(
        key=key, namespace="p", model="fake", text="answer " * 200, finish_reason="stop", prompt_tokens=300, completion_tokens=300
    )


if __name__ == "__main__":
    main()
