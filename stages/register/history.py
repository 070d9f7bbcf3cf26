"""What became of versions: tags at both, and a line in the promotion log that git keeps."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec

from stages.register.collect import mask
from stages.register.gates import Verdict
from stages.register.store import Store

KEPT = ("version", "variant", "commit", "path", "dvc_md5")


def now() -> str:
    """UTC to the second: a promotion is an event, the only thing here that has a time of its own."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def mark(store: Store, version: Mapping[str, str], status: str, time: str, reason: str = "") -> None:
    """Tag a version with what it became, when and, if anything was out of the ordinary, why, secrets masked."""
    for key, value in {"status": status, "status_since": time, "status_reason": _told(reason)}.items():
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
    """One line of metrics/promotions.jsonl: who is champion since when, whom it replaced, and every gate's verdict.

    It begins a line of its own even after one that a kill tore; secrets in the reason are masked, as git keeps the file.
    """
    line: dict[str, Any] = {
        "time": time,
        "action": action,
        "model": store.params.model,
        "champion": {key: new.get(key, "") for key in KEPT},
        "replaced": {key: old.get(key, "") for key in KEPT} if old else None,
        "reason": _told(reason),
        "gates": [msgspec.to_builtins(one) for one in verdicts],
    }
    store.log.parent.mkdir(parents=True, exist_ok=True)
    with open(store.log, "a+b") as file:
        file.write(_fresh_line(file) + json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _told(reason: str) -> str:
    """The reason as it is kept: no secret, and no byte of a foreign encoding, which neither MLflow nor JSON takes."""
    return mask(reason.encode("utf-8", "replace").decode())


def _fresh_line(file: BinaryIO) -> bytes:
    """The line end that is missing at the end of the file."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"
