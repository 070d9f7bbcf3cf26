"""Section `runtime`: what it makes of keys that are left out."""

from stages.runtime import Endpoint, Endpoints, RuntimeParams

ONE = Endpoint(base_url="http://127.0.0.1:1/v1", max_concurrency=64)
TWO = Endpoint(base_url="http://127.0.0.1:2/v1", max_concurrency=16)


def test_rows_in_flight_follow_the_endpoints_unless_they_are_named() -> None:
    """Every place has a call, and a quarter more wait; a number of the user's own is kept."""
    assert RuntimeParams(endpoints=Endpoints(teacher=[ONE])).concurrency == 80
    assert RuntimeParams(endpoints=Endpoints(teacher=[ONE, TWO], judge=[TWO])).concurrency == 120
    assert RuntimeParams(endpoints=Endpoints(teacher=[ONE]), concurrency=5).concurrency == 5
    assert RuntimeParams().concurrency == 32
