"""What is about to be registered: the commit, its lock file and the proof that both describe the workspace."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.tables import file_sha256

PREDICTIONS = "data/evaluate/predictions.parquet"
PROMOTIONS = "metrics/promotions.jsonl"
EXEMPT = ("metrics/timings/", "metrics/experiments/", PROMOTIONS)  # of one machine, or about other builds: no other build
SHOWN = 8  # paths named in a refusal


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One committed build. Equal commit and lock hash mean equal params, code, data and models."""

    commit: str
    committed_ms: int  # committer date in milliseconds: the time of every logged figure, so that logging twice adds nothing
    lock_sha256: str
    hashes: dict[str, str]  # output path -> DVC's md5 in dvc.lock


def committed_build(root: Path) -> Build:
    """The build at HEAD. Raises InputError if the tree is dirty, the lock is not committed or the pipeline is stale."""
    commit = _git(root, "rev-parse", "HEAD").strip()
    refuse_dirty(root)
    refuse_uncommitted_lock(root)
    refuse_stale(root)
    return Build(
        commit=commit,
        committed_ms=1000 * int(_git(root, "show", "-s", "--format=%ct", "HEAD")),
        lock_sha256=file_sha256(root / "dvc.lock"),
        hashes=lock_hashes(root / "dvc.lock"),
    )


def refuse_dirty(root: Path, *, untracked: bool = True) -> None:
    """Raise InputError if git sees a change (or an `untracked` file) that HEAD does not hold, apart from EXEMPT."""
    files = f"--untracked-files={'all' if untracked else 'no'}"
    lines = _git(root, "status", "--porcelain=v1", "-z", files, "--no-renames").split("\0")
    changed = [line[3:] for line in lines if line and not line[3:].startswith(EXEMPT)]
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        raise InputError(
            f"the work tree has changes that no commit holds: {', '.join(changed[:SHOWN])}{more}.",
            allowed=f"a clean tree, apart from {' and '.join(EXEMPT)}",
            remedy="`git add` and `git commit` them (or undo them), then run the same command again.",
        )


def refuse_uncommitted_lock(root: Path) -> None:
    """Raise InputError if HEAD holds no dvc.lock: without it the commit does not say which outputs it means."""
    if "dvc.lock" not in _git(root, "ls-tree", "--name-only", "HEAD", "dvc.lock").split():
        raise InputError("HEAD holds no dvc.lock.", remedy="`dvc repro`, then `git add dvc.lock` and `git commit`.")


def refuse_stale(root: Path) -> None:
    """Raise InputError if DVC would run or restore anything: the workspace is not what the lock file says."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"`dvc status` failed: {done.stderr.strip()[-400:]}", remedy="Mend dvc.yaml, then register again.")
    stale = sorted(json.loads(done.stdout or "{}"))
    if stale:
        raise InputError(
            f"dvc.lock does not describe the workspace: {', '.join(stale[:SHOWN])} changed.",
            allowed="a pipeline for which `dvc status` reports nothing",
            remedy="`dvc checkout` (or `dvc pull`) if only files are missing, else `dvc repro`; then commit dvc.lock.",
        )


def lock_hashes(path: Path) -> dict[str, str]:
    """Every output path of the lock file with its md5 (a folder's ends in `.dir`)."""
    return {out["path"]: out["md5"] for stage in _lock_stages(path).values() for out in stage.get("outs", []) if "md5" in out}


def dvc_hash(path: Path) -> str:
    """The MD5 under which DVC holds a file or folder; empty if there is none. A folder's is that of its listing, plus `.dir`."""
    if path.is_file():
        return _md5(path)
    files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
    listing = json.dumps([{"md5": _md5(file), "relpath": name} for name, file in files]).encode()
    return f"{hashlib.md5(listing, usedforsecurity=False).hexdigest()}.dir" if files else ""


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def committed_params(root: Path) -> str | None:
    """params.yaml as HEAD holds it; None without a commit that holds one."""
    command = ["git", "show", "HEAD:./params.yaml"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout if done.returncode == 0 else None


def _lock_stages(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")).get("stages") or {}


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(
            f"`git {' '.join(arguments)}` failed: {done.stderr.strip()}",
            remedy="Register from the root of a git repository that has at least one commit.",
        )
    return done.stdout
