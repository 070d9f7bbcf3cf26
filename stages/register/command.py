"""The two things the command does, in words for people."""

from pathlib import Path

from stages.config import load_section
from stages.register.collect import collect, mask
from stages.register.params import RegisterParams
from stages.register.tracking import Outcome, connect, register, resolve, tracking_uri
from stages.register.workspace import committed_build, lock_hashes
from stages.runtime import RuntimeParams


def register_build(root: Path) -> str:
    """Register the build at HEAD of `root` and say what was done. Raises SecForgeError if it must not be."""
    params, runtime = _sections(root)
    build = committed_build(root)
    record = collect(root, build)
    uri = tracking_uri(runtime.mlflow_uri, root)
    outcome = register(connect(uri), build, record, params, root)
    return _summary(outcome, build.commit, params, uri)


def resolve_alias(root: Path, alias: str) -> str:
    """Commit, DVC path and local folder of the version that `alias` names, one `key: value` per line."""
    params, runtime = _sections(root)
    found = resolve(connect(tracking_uri(runtime.mlflow_uri, root)), params.model, alias)
    shown = {key: found.get(key, "?") for key in ("model", "version", "variant", "commit", "path", "dvc_md5")}
    return "\n".join(f"{key}: {value}" for key, value in {**shown, "folder": _folder(root, found)}.items())


def _folder(root: Path, found: dict[str, str]) -> str:
    """Where the weights lie here, or the command that brings them."""
    path, commit = found.get("path", ""), found.get("commit", "")
    lock = root / "dvc.lock"
    here = lock_hashes(lock).get(path) == found.get("dvc_md5") if lock.exists() else False
    if here and (root / path).exists():
        return str(root / path)
    return f"not in this workspace; `dvc get --rev {commit} . {path} -o <folder>` brings it"


def _sections(root: Path) -> tuple[RegisterParams, RuntimeParams]:
    file = root / "params.yaml"
    return load_section("register", RegisterParams, file), load_section("runtime", RuntimeParams, file)


def _summary(outcome: Outcome, commit: str, params: RegisterParams, uri: str) -> str:
    versions = ", ".join(f"{variant} v{number}" for variant, number in sorted(outcome.versions.items()))
    done = "was registered before, nothing changed" if outcome.existed else f"registered, `{params.alias}` is {params.aliased}"
    return f"[register] commit {commit[:10]} {done}: model `{params.model}` {versions or 'no variants'} | run {outcome.run_id} | {mask(uri)}"
