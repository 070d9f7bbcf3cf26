"""3,200 calls with a log-normal tail (sigma 1, mean 200 ms) over 64 slots, against the limit of the drawn latencies."""

import math

from tests.timings.llm_load import LATENCY, compared, drawn_limit, run_ours, served
from tests.timings.llm_peers import PEERS, PROMPTS
from tests.timings.table import print_table

SIGMA = 1.0
MEDIAN = LATENCY / math.exp(SIGMA**2 / 2)


def main() -> None:
    """Print the table."""
    with served("--latency", str(MEDIAN), "--sigma", str(SIGMA)) as url:
        peers = {name: (run(url), drawn_limit(PROMPTS[name], MEDIAN, SIGMA)) for name, run in PEERS.items()}
        ours = run_ours(url)
    lines = compared("log-normal", ours, drawn_limit("ours", MEDIAN, SIGMA), peers)
    print_table("llm_tail (target >= 0.85 of the limit, aim 0.92)", lines)


if __name__ == "__main__":
    main()
