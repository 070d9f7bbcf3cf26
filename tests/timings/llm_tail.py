"""3,200 calls with a log-normal tail (sigma 1, mean 200 ms) over 64 slots, against the limit of the drawn latencies."""

import math

from tests.timings.llm_load import LATENCY, compared, drawn_limit, run_ours, run_peer, served
from tests.timings.table import print_table

SIGMA = 1.0
MEDIAN = LATENCY / math.exp(SIGMA**2 / 2)


def main() -> None:
    """Print the table."""
    with served("--latency", str(MEDIAN), "--sigma", str(SIGMA)) as url:
        peer, ours = run_peer(url), run_ours(url)
    limits = [drawn_limit(run, MEDIAN, SIGMA) for run in ("ours", "peer")]
    print_table("llm_tail (target >= 0.85, aim 0.92)", compared("log-normal", ours, peer, *limits))


if __name__ == "__main__":
    main()
