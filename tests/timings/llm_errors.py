"""3,200 calls of 200 ms where 5 % meet a 429 with Retry-After, 5 % a 500 and 1 % a body that is cut: no row may be lost."""

from tests.timings.llm_load import CALLS, LATENCY, SLOTS, compared, run_ours, served
from tests.timings.llm_peers import PEERS
from tests.timings.table import print_table

FAULTS = ("429:0.05:1:0.5", "500:0.05:1", "cut:0.01:1")


def main() -> None:
    """Print the table."""
    options = [part for fault in FAULTS for part in ("--fault", fault)]
    limit = CALLS * 1.01 * LATENCY / SLOTS
    with served("--latency", str(LATENCY), *options) as url:
        peers = {name: (run(url), limit) for name, run in PEERS.items()}
        ours = run_ours(url)
    print_table("llm_errors (target >= 0.85, aim 0.92, no row lost)", compared("with faults", ours, limit, peers))


if __name__ == "__main__":
    main()
