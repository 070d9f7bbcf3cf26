"""Moving `champion` and `previous`: on one machine a file lock decides, on a server the loser writes no alias and says so.

MLflow has no transactions. Whoever moves the aliases first sets a claim of its own, a tag at the registered model, and then
looks for others: of two that overlap at least one sees the other's claim and gives up before it has changed anything, so that
what the other one reports stays true (mutual exclusion by flags, Dijkstra 1965). Both may give up; nothing is lost then.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stages.errors import BusyError
from stages.register.tracking import aliases

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, PREVIOUS = "champion", "previous"
CLAIM = "secforge.claim."  # and a random name; the value is when it was set, in seconds since 1970
LEFT_BEHIND = 600  # seconds after which a claim is that of a killed process: moving takes seconds
PATIENCE = 60  # seconds after which a mover itself gives up: nine minutes before another one takes its claim for dead


def move_champion(client: "MlflowClient", model: str, expected: str | None, new: str) -> None:
    """Make version `new` the champion and `expected`, the present one, `previous`.

    Raises BusyError, with the aliases as they were, if the champion is not `expected` or another process moves them now.
    """
    began = time.monotonic()
    with _claimed(client, model):
        now = aliases(client, model).get(CHAMPION)
        if now != expected:
            raise BusyError(
                f"another promotion of `{model}` came first: the champion was {_named(expected)} when this one began "
                f"and is {_named(now)}.",
                remedy="Run the same command again: the candidate is then compared with the champion of now.",
            )
        if expected is not None:
            _write(client, model, PREVIOUS, expected, began)
        _write(client, model, CHAMPION, new, began)


@contextmanager
def _claimed(client: "MlflowClient", model: str) -> Iterator[None]:
    """Hold a claim while no other one is there; claims that a kill left behind are removed."""
    own = f"{CLAIM}{uuid.uuid4().hex}"
    client.set_registered_model_tag(model, own, str(int(time.time())))
    try:
        tags = client.get_registered_model(model).tags
        others = [key for key in tags if key.startswith(CLAIM) and key != own]
        for key in others:
            if not _is_left_behind(tags[key]):
                raise BusyError(
                    f"another promotion of `{model}` moves the aliases now, or was killed less than {LEFT_BEHIND // 60} minutes ago.",
                    remedy="Run the same command again; a claim that a killed process left is then ignored.",
                )
            client.delete_registered_model_tag(model, key)
        yield
    finally:
        client.delete_registered_model_tag(model, own)


def _is_left_behind(value: str) -> bool:
    return not value.isdecimal() or time.time() - int(value) > LEFT_BEHIND


def _write(client: "MlflowClient", model: str, alias: str, version: str, began: float) -> None:
    if time.monotonic() - began > PATIENCE:
        raise BusyError(
            f"the MLflow server is too slow: `{alias}` was not moved within {PATIENCE} seconds.",
            remedy="`python -m stages.register resolve champion` says who is champion; run the same command again.",
        )
    client.set_registered_model_alias(model, alias, version)


def _named(version: str | None) -> str:
    return f"version {version}" if version else "none"
