"""10,000 rows through grounding and enrichment; then one row changes, then one format: calls by purpose, exactly the affected ones."""

import json
import os
import time
import urllib.request
from collections import Counter
from pathlib import Path

from stages.enrich.schema import EnrichedRow
from stages.tables import read_table
from tests.many_rows import TASKS, change_format, change_row, purpose_said, run_stages, write_many, write_params
from tests.timings.llm_load import SLOTS, served
from tests.timings.table import Line, print_table

ROWS = int(os.environ.get("SECFORGE_CHANGE_ROWS", "10000"))
CHANGED = 5000  # of 10,000; its task is the one whose format changes


def main() -> None:
    """Print the table."""
    with served("--behaviour", "tests.fake_teacher:behaviour") as url:
        root = Path.cwd()
        write_many(root, ROWS)
        write_params(root, url, SLOTS)
        lines, known, seen = [], {}, Counter()
        for what in ("cold", "unchanged", "one row changed", "one format changed"):
            changed = change_row(root, CHANGED % ROWS).id if what == "one row changed" else ""
            if what == "one format changed":
                change_format(root, TASKS[CHANGED % ROWS % len(TASKS)])
            started = time.perf_counter()
            run_stages(root)
            seconds = time.perf_counter() - started
            asked, known_now = _asked(url), _requests(root)
            calls, seen = asked - seen, asked
            expected = _new(what, known_now, known, changed, calls)
            known = known_now
            lines.append(_line(what, calls, expected, seconds))
    print_table(f"llm_change ({ROWS:,} rows; exactly the requests that the tables name and the run before did not)", lines)


def _asked(url: str) -> Counter[str]:
    """Calls so far by purpose."""
    with urllib.request.urlopen(url.replace("/v1", "/stats"), timeout=60) as answer:
        by_system = json.load(answer)["by_system"]
    found: Counter[str] = Counter()
    for system, count in by_system.items():
        found[purpose_said(system)] += count
    return found


def _requests(root: Path) -> dict[str, set[str]]:
    """The requests that each row rests on."""
    return {row.id: set(row.request_hashes) for row in read_table(root / "data/enrich/rows.parquet", EnrichedRow)}


def _new(what: str, now: dict[str, set[str]], before: dict[str, set[str]], changed: str, calls: Counter[str]) -> str:
    """Requests of this run that the run before had not; of the cold run the calibration is taken as asked."""
    new = len(set().union(*now.values()) - set().union(*before.values(), set()))
    if what == "cold":
        return f"{new} + {sum(calls.values()) - new} calibration"
    return str(len(now[changed] - set().union(*before.values()))) if changed else str(new)


def _line(what: str, calls: Counter[str], expected: str, seconds: float) -> Line:
    by_purpose = ", ".join(f"{purpose} {count}" for purpose, count in sorted(calls.items()) if count) or "none"
    return Line(f"{what}: calls", str(sum(calls.values())), "-", expected, "-", f"{seconds:.0f} s; {by_purpose}")


if __name__ == "__main__":
    main()
