"""Moving `champion` and `previous`: on one machine a file lock decides, on a server the loser notices and says so.

MLflow has no transactions. Whoever moves the aliases first writes a claim of its own at the registered model, then reads
champion and claim again before and after the change: of two that overlap at least one finds a foreign claim or champion.
"""

import uuid
from typing import TYPE_CHECKING

from stages.errors import BusyError
from stages.register.tracking import aliases

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, PREVIOUS = "champion", "previous"
CLAIM = "secforge.claim"


def move_champion(client: "MlflowClient", model: str, expected: str | None, new: str) -> None:
    """Make version `new` the champion and `expected`, the present one, `previous`.

    Raises BusyError, with the aliases as they were, if the champion is not `expected` or another process moves them now.
    """
    claim = uuid.uuid4().hex
    client.set_registered_model_tag(model, CLAIM, claim)
    before = aliases(client, model)
    if before.get(CHAMPION) != expected or not _is_mine(client, model, claim):
        raise _lost(client, model, expected)
    if expected is not None:
        client.set_registered_model_alias(model, PREVIOUS, expected)
    client.set_registered_model_alias(model, CHAMPION, new)
    if _is_mine(client, model, claim) and aliases(client, model).get(CHAMPION) == new:
        return
    if aliases(client, model).get(CHAMPION) == new:
        _put_back(client, model, before)
    raise _lost(client, model, expected)


def _is_mine(client: "MlflowClient", model: str, claim: str) -> bool:
    return client.get_registered_model(model).tags.get(CLAIM) == claim


def _put_back(client: "MlflowClient", model: str, before: dict[str, str]) -> None:
    for alias in (CHAMPION, PREVIOUS):
        if alias in before:
            client.set_registered_model_alias(model, alias, before[alias])
        else:
            client.delete_registered_model_alias(model, alias)


def _lost(client: "MlflowClient", model: str, expected: str | None) -> BusyError:
    now = aliases(client, model).get(CHAMPION)
    return BusyError(
        f"another promotion of `{model}` came first: the champion was {_named(expected)} when this one began and is {_named(now)}.",
        remedy="Run the same command again: the candidate is then compared with the champion of now.",
    )


def _named(version: str | None) -> str:
    return f"version {version}" if version else "none"
