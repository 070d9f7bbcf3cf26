"""How many calls one endpoint is given at once: its ceiling, and fewer while it refuses.

A refusal is a 429 or a 503. Few of them delay only the calls that they met. The limit falls when more than a fifth
of the recent calls are refused, by one with each further refusal; to the level above which most calls are refused,
for that is how many the endpoint holds; and by half at a 503. From there it is probed: a call more, after a pause
that doubles while probes are refused; an answer to it proves the new level and opens the next (additive increase).
"""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

WINDOW = 64  # outcomes that are remembered
SHARE = 0.2  # refused calls among these and those in flight, above which the endpoint is overloaded
LEAST = 3  # refusals below which the share says nothing
FIRST_PROBE, LAST_PROBE = 1.0, 30.0  # seconds between two probes
LARGEST_STEP = 4  # calls by which a limit grows at once when several probes in a row were answered
FAILURES = 3  # failures in a row after which other endpoints go first
LONGEST_REST = 30.0  # seconds before such an endpoint is tried again


class Ticket(NamedTuple):
    """A call that has begun."""

    level: int  # calls in flight with it
    era: int  # times that the limit had been lowered before it


class Limit:
    """Counts the calls in flight to one endpoint and says whether it takes another."""

    def __init__(self, ceiling: int, now: Callable[[], float] = time.monotonic) -> None:
        self.ceiling = self.allowed = ceiling
        self.in_flight = self.refusals = 0
        self._proven, self._era, self._now = ceiling, 0, now
        self._recent: deque[tuple[int, bool]] = deque(maxlen=WINDOW)  # level, refused
        self._paused_until = self._probe_at = self._rested_at = 0.0
        self._patience, self._step, self._failures = FIRST_PROBE, 1, 0

    def is_free(self) -> bool:
        """Whether a call may begin now."""
        return self.in_flight < self.allowed and self._now() >= self._paused_until

    def is_failing(self) -> bool:
        """Whether its last calls all failed and its rest is not over: another endpoint is the better choice."""
        return self._failures >= FAILURES and self._now() < self._rested_at

    @property
    def share(self) -> float:
        """Calls in flight as a share of those allowed."""
        return self.in_flight / self.allowed

    def begin(self) -> Ticket:
        """A call begins; `end` must follow."""
        self.in_flight += 1
        return Ticket(self.in_flight, self._era)

    def end(self) -> None:
        """A call is over, whatever came of it."""
        self.in_flight -= 1

    def answered(self, ticket: Ticket) -> None:
        """The endpoint did what was asked, or refused it for a reason that lies in the request."""
        self._recent.append((ticket.level, False))
        self._failures = 0
        if ticket.level > self._proven and ticket.era == self._era:
            self._step = min(LARGEST_STEP, 2 * self._step) if ticket.level == self.allowed else self._step
            self._proven, self._patience, self._probe_at = ticket.level, FIRST_PROBE, 0.0
        if self._now() >= self._probe_at:
            self.allowed = max(self.allowed, min(self.ceiling, self._proven + self._step))

    def failed(self, ticket: Ticket) -> float:
        """A call came to nothing (500, a broken or missing connection, no answer in time). Returns seconds of rest, 0 for none."""
        self._recent.append((ticket.level, False))
        self._failures += 1
        if self._failures < FAILURES:
            return 0.0
        rest = min(LONGEST_REST, 2.0 ** (self._failures - FAILURES))
        self._rested_at = self._now() + rest
        return rest

    def refused(self, ticket: Ticket, *, overloaded: bool, retry_after: float | None) -> float:
        """The endpoint takes no more (429), or is `overloaded` (503). Returns seconds in which no call may begin, 0 for none."""
        self.refusals += 1
        self._recent.append((ticket.level, True))
        many = self._refuses_many()
        if overloaded:
            self._halve(ticket)
        elif ticket.level > self._proven:
            patience = min(LAST_PROBE, 2 * self._patience) if ticket.era == self._era else self._patience
            self._lower(self._proven, patience)  # a probe has failed; else the call had begun before the limit fell
        elif held := self._held():
            self._lower(held, FIRST_PROBE)
        elif many:
            self._lower(self.allowed - 1, FIRST_PROBE)
        if not retry_after or not (overloaded or many):
            return 0.0
        self._paused_until = max(self._paused_until, self._now() + retry_after)
        return retry_after

    def _refuses_many(self) -> bool:
        refused = sum(refused for _, refused in self._recent)
        return refused >= LEAST and refused > SHARE * (len(self._recent) + self.in_flight)

    def _held(self) -> int:
        """The lowest level above which more calls were refused than answered or are in flight; 0 if there is none."""
        found = refused = answered = 0
        for level, was_refused in sorted(self._recent, key=lambda one: (-one[0], one[1])):
            refused, answered = refused + was_refused, answered + (not was_refused)
            in_flight = max(0, self.in_flight - level)
            if was_refused and refused >= LEAST and refused > answered + in_flight:
                found = max(1, level - 1)
        return found

    def _halve(self, ticket: Ticket) -> None:
        """Once for all calls that were in flight together."""
        if ticket.era == self._era:
            self._lower(self.allowed // 2, FIRST_PROBE)

    def _lower(self, allowed: int, patience: float) -> None:
        self.allowed = self._proven = max(1, min(allowed, self._proven))
        self._patience, self._step, self._era = patience, 1, self._era + 1
        self._probe_at = self._now() + patience
