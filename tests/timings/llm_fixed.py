"""3,200 calls of 200 ms over 64 slots: how close to the limit of 320 rows/s, and at what CPU cost."""

from tests.timings.llm_load import CALLS, LATENCY, SLOTS, compared, run_ours, run_peer, served
from tests.timings.table import print_table


def main() -> None:
    """Print the table."""
    limit = CALLS * LATENCY / SLOTS
    with served("--latency", str(LATENCY)) as url:
        peer, ours = run_peer(url), run_ours(url)
    print_table("llm_fixed (target >= 0.90, aim 0.97, <= 3 CPU s)", compared("fixed 200 ms", ours, peer, limit, limit))


if __name__ == "__main__":
    main()
