"""How many calls an endpoint is given: what one refusal does, what many do, and how the limit comes back."""

import random

import pytest

from stages.llm.limits import Limit, Ticket


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def begin(limit: Limit, calls: int) -> list[Ticket]:
    """Begin `calls` calls, as many as the limit allows."""
    tickets = []
    while len(tickets) < calls and limit.is_free():
        tickets.append(limit.begin())
    return tickets


def refuse(limit: Limit, ticket: Ticket, *, overloaded: bool = False, retry_after: float | None = None) -> float:
    rest = limit.refused(ticket, overloaded=overloaded, retry_after=retry_after)
    limit.end()
    return rest


def answer(limit: Limit, ticket: Ticket) -> None:
    limit.answered(ticket)
    limit.end()


def test_a_single_refusal_changes_nothing_even_if_it_names_a_delay(clock: Clock) -> None:
    limit = Limit(64, clock)
    tickets = begin(limit, 64)
    assert refuse(limit, tickets.pop(), retry_after=30.0) == 0.0
    assert limit.allowed == 64 and limit.is_free()


def test_one_refusal_in_twenty_never_lowers_the_limit(clock: Clock) -> None:
    limit = Limit(32, clock)
    for number in range(2000):
        (ticket,) = begin(limit, 1)
        refuse(limit, ticket, retry_after=1.0) if number % 20 == 7 else answer(limit, ticket)
    assert limit.allowed == 32 and limit.refusals == 100


def play(limit: Limit, clock: Clock, capacity: int, rounds: int, latency: float = 0.2) -> int:
    """A server that refuses above `capacity`, with work that never ends. Returns how many it refused."""
    before = limit.refusals
    for _ in range(rounds):
        held: list[Ticket] = []
        while tickets := begin(limit, 1):
            if len(held) < capacity:
                held += tickets
            else:
                refuse(limit, tickets[0])
        clock.now += latency
        for ticket in held:
            answer(limit, ticket)
    return limit.refusals - before


def test_the_limit_ends_at_what_the_server_bears_and_few_calls_are_wasted(clock: Clock) -> None:
    limit = Limit(64, clock)
    assert play(limit, clock, capacity=48, rounds=1) < 64
    assert 44 <= limit.allowed <= 48
    assert play(limit, clock, capacity=48, rounds=100) < 0.02 * 48 * 100
    assert 47 <= limit.allowed <= 49


@pytest.mark.parametrize("capacity", [63, 60, 56, 52, 30, 5, 1])
def test_a_server_that_holds_a_little_less_is_found_out_too(clock: Clock, capacity: int) -> None:
    limit = Limit(64, clock)
    play(limit, clock, capacity, rounds=5)
    assert capacity - 2 <= limit.allowed <= capacity + 1
    assert play(limit, clock, capacity, rounds=100) < max(12, 0.02 * capacity * 100)


@pytest.mark.parametrize("seed", range(5))
def test_refusals_that_come_by_chance_do_not_lower_the_limit(clock: Clock, seed: int) -> None:
    draw, limit, held = random.Random(seed), Limit(64, clock), []
    for _ in range(3000):
        held += begin(limit, 64)
        clock.now += 0.003
        draw.shuffle(held)
        ticket = held.pop()
        refuse(limit, ticket, retry_after=0.5) if draw.random() < 0.06 else answer(limit, ticket)
    assert limit.allowed == 64


def test_the_limit_comes_back_when_the_server_has_room_again(clock: Clock) -> None:
    limit = Limit(64, clock)
    play(limit, clock, capacity=8, rounds=20)
    assert limit.allowed < 12
    assert play(limit, clock, capacity=64, rounds=70) == 0
    assert limit.allowed == 64


def test_calls_that_had_begun_before_the_limit_fell_are_no_probes(clock: Clock) -> None:
    limit = Limit(64, clock)
    tickets = begin(limit, 64)
    for ticket in tickets[48:]:
        refuse(limit, ticket)
    clock.now += 1.1
    for ticket in tickets[:48]:
        answer(limit, ticket)
    assert limit.allowed == 49


def test_an_overloaded_server_halves_the_limit_once_for_all_calls_in_flight(clock: Clock) -> None:
    limit = Limit(32, clock)
    for ticket in begin(limit, 32):
        refuse(limit, ticket, overloaded=True)
    assert limit.allowed == 16
    refuse(limit, begin(limit, 1)[0], overloaded=True)
    assert limit.allowed == 8


def test_an_overloaded_server_that_names_a_delay_is_left_alone_so_long(clock: Clock) -> None:
    limit = Limit(32, clock)
    assert refuse(limit, begin(limit, 1)[0], overloaded=True, retry_after=5.0) == 5.0
    assert not limit.is_free()
    clock.now += 5.1
    assert limit.is_free()


def test_a_spent_rate_limit_is_waited_out(clock: Clock) -> None:
    limit = Limit(32, clock)
    rests = [refuse(limit, ticket, retry_after=20.0) for ticket in begin(limit, 32)]
    assert rests[:3] == [0.0, 0.0, 0.0] and rests[-1] == 20.0 and not limit.is_free()


def test_the_limit_never_falls_below_one_call(clock: Clock) -> None:
    limit = Limit(4, clock)
    for _ in range(50):
        for ticket in begin(limit, 4):
            refuse(limit, ticket, overloaded=True)
        clock.now += 1
    assert limit.allowed == 1 and limit.is_free()


def test_failures_in_a_row_make_an_endpoint_second_choice_for_longer_and_longer(clock: Clock) -> None:
    limit = Limit(4, clock)
    rests = []
    for _ in range(10):
        rests.append(limit.failed(begin(limit, 1)[0]))
        limit.end()
    assert rests == [0, 0, 1, 2, 4, 8, 16, 30, 30, 30] and limit.is_failing() and limit.allowed == 4
    clock.now += 31
    assert not limit.is_failing()
    answer(limit, begin(limit, 1)[0])
    assert limit.failed(begin(limit, 1)[0]) == 0.0
