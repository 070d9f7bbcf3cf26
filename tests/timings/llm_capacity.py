"""3,200 calls of 200 ms to a server that refuses above 48 in flight: the client begins with 64 and finds out."""

from tests.timings.llm_load import CALLS, LATENCY, ratio_of, run_ours, served, stats
from tests.timings.llm_peers import run_aiohttp
from tests.timings.table import Line, print_table

CAPACITY = 48


def main() -> None:
    """Print the table."""
    limit = CALLS * LATENCY / CAPACITY
    with served("--latency", str(LATENCY), "--capacity", str(CAPACITY)) as url:
        peer = run_aiohttp(url)
        peer_calls = stats(url)["calls"]
        ours = run_ours(url)
        after = stats(url)
    wasted, peer_wasted = after["calls"] - peer_calls - (CALLS - ours.lost), peer_calls - (CALLS - peer.lost)
    lines = [
        Line(
            "rows/s", f"{CALLS / ours.seconds:.0f}", f"{CALLS / peer.seconds:.0f}", f"{CALLS / limit:.0f}",
            ratio_of(limit, ours), "share of 48 / latency; the peer keeps 64 in flight",
        ),
        Line("calls refused", f"{wasted / CALLS:.1%}", f"{peer_wasted / CALLS:.1%}", "2%"),
        Line("rows lost", str(ours.lost), str(peer.lost), "0"),
        Line("asked again after an answer", f"{after['repeated']:.0f}", "-", "0"),
    ]  # fmt: skip
    print_table("llm_capacity (target >= 0.90 of 48 / latency, < 2 % of calls wasted)", lines)


if __name__ == "__main__":
    main()
