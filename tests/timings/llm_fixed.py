"""3,200 calls of 200 ms over 64 slots: how close to the limit of 320 rows/s, and at what CPU cost.

First with 64 calls in flight, then with a few more, of which the server lets some wait, as vLLM does: so no slot is
idle while an answer is on its way.
"""

from tests.timings.llm_load import CALLS, LATENCY, ROOM, SLOTS, compared, run_ours, run_peer, served
from tests.timings.table import print_table


def main() -> None:
    """Print the table."""
    limit = CALLS * LATENCY / SLOTS
    with served("--latency", str(LATENCY)) as url:
        peer, ours = run_peer(url), run_ours(url)
    with served("--latency", str(LATENCY), "--slots", str(SLOTS)) as url:
        more = run_ours(url, in_flight=ROOM)
    lines = [
        *compared(f"{SLOTS} in flight", ours, peer, limit, limit),
        *compared(f"{ROOM} in flight", more, peer, limit, limit),
    ]
    print_table("llm_fixed (target >= 0.90, aim 0.97, <= 3 CPU s)", lines)


if __name__ == "__main__":
    main()
