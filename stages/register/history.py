"""What became of versions: tags at both, and a line in the promotion log that git keeps."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from stages.register.gates import Verdict
from stages.register.store import Store

KEPT = ("version", "variant", "commit", "path", "dvc_md5")


def now() -> str:
    """UTC to the second: a promotion is an event, the only thing here that has a time of its own."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def mark(store: Store, version: Mapping[str, str], status: str, time: str, reason: str = "") -> None:
    """Tag a version with what it became, when and, if anything was out of the ordinary, why."""
    for key, value in {"status": status, "status_since": time, "status_reason": reason}.items():
        store.client.set_model_version_tag(store.params.model, version["version"], f"secforge.{key}", value)


def append(
    store: Store,
    action: str,
    new: Mapping[str, str],
    old: Mapping[str, str] | None,
    time: str,
    reason: str,
    verdicts: Sequence[Verdict],
) -> None:
    """One line of metrics/promotions.jsonl: who is champion since when, whom it replaced, and every gate's verdict."""
    line: dict[str, Any] = {
        "time": time,
        "action": action,
        "model": store.params.model,
        "champion": {key: new.get(key, "") for key in KEPT},
        "replaced": {key: old.get(key, "") for key in KEPT} if old else None,
        "reason": reason,
        "gates": [msgspec.to_builtins(one) for one in verdicts],
    }
    store.log.parent.mkdir(parents=True, exist_ok=True)
    with open(store.log, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
