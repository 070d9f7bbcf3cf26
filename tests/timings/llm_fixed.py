"""3,200 calls of 200 ms over 64 slots: how close to the limit of 320 rows/s, and at what CPU cost, beside every peer.

All keep 64 calls in flight. A last run gives the server a few calls more, of which it lets some wait, as vLLM does: so
no slot is idle while an answer is on its way.
"""

from tests.timings.llm_load import CALLS, LATENCY, ROOM, SLOTS, compared, run_ours, served
from tests.timings.llm_peers import PEERS
from tests.timings.table import print_table


def main() -> None:
    """Print the table."""
    limit = CALLS * LATENCY / SLOTS
    with served("--latency", str(LATENCY)) as url:
        peers = {name: (run(url), limit) for name, run in PEERS.items()}
        ours = run_ours(url)
    with served("--latency", str(LATENCY), "--slots", str(SLOTS)) as url:
        more = run_ours(url, in_flight=ROOM)
    lines = [*compared(f"{SLOTS} in flight", ours, limit, peers), *compared(f"{ROOM} in flight", more, limit, {})]
    print_table("llm_fixed (target >= 0.90 of the limit, aim 0.95; >= 0.97 of each peer; <= 3 CPU s)", lines)


if __name__ == "__main__":
    main()
