"""Checkpoints that can be trusted after a kill: complete and unchanged, or passed over with a message.

A checkpoint is a folder `checkpoint-<step>` of transformers' Trainer (weights, optimizer, schedule, random states,
log history). Its manifest, with the hash of every file, is written last: no manifest, no checkpoint.
"""

import json
import re
from pathlib import Path

from stages.tables import file_sha256, write_json

MANIFEST = "complete.json"


def seal(checkpoint: Path) -> None:
    """Write the manifest of a checkpoint whose files are all written."""
    write_json(checkpoint / MANIFEST, {name: file_sha256(checkpoint / name) for name in _files(checkpoint)})


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`; prints what is wrong with each newer one."""
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := re.fullmatch(r"checkpoint-(\d+)", path.name))]
    for step, path in sorted(found, reverse=True):
        fault = _fault(path)
        if fault is None:
            print(f"[finetune] resumes from step {step:,} ({path})", flush=True)
            return path
        print(f"[finetune] skips the checkpoint of step {step:,}: {fault} ({path})", flush=True)
    return None


def _fault(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint, or None."""
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "it was not finished"
    except ValueError:
        return f"{MANIFEST} is damaged"
    for name, sha256 in sorted(manifest.items()):
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
        if file_sha256(checkpoint / name) != sha256:
            return f"{name} is damaged"
    return None


def _files(checkpoint: Path) -> list[str]:
    return sorted(str(path.relative_to(checkpoint)) for path in checkpoint.rglob("*") if path.is_file() and path.name != MANIFEST)
