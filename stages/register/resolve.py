"""Commit, DVC path and local folder of the version that an alias names."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from stages.errors import InputError
from stages.experiments.workspace import dvc
from stages.register.store import Store, open_store
from stages.register.tracking import resolve
from stages.register.workspace import dvc_hash
from stages.state import state_dir

SHOWN = ("model", "version", "variant", "commit", "path", "dvc_md5", "store")

WEIGHTS = (".safetensors", ".gguf")


def main(arguments: Sequence[str]) -> str:
    """Entry of the command: the text to print."""
    parser = argparse.ArgumentParser(prog="python -m stages.register resolve", description=__doc__)
    parser.add_argument("alias", help="champion, previous, candidate")
    parser.add_argument("--fetch", action="store_true", help="bring the files from DVC's cache or remote, or from MLflow")
    options = parser.parse_args(arguments)
    return resolve_alias(Path.cwd(), options.alias, fetch=options.fetch)


def resolve_alias(root: Path, alias: str, *, fetch: bool = False) -> str:
    """One `key: value` per line; `folder` is where the files lie, every byte as registered, or the command that brings them."""
    store = open_store(root)
    found = resolve(store.client, store.params.model, alias)
    folder = fetch_folder(store, found) if fetch else local_folder(root, found)
    where = folder or f"not here; `python -m stages.register resolve {alias} --fetch` brings it"
    return "\n".join(f"{key}: {value}" for key, value in {**{key: found.get(key, "?") for key in SHOWN}, "folder": where}.items())


def local_folder(root: Path, version: dict[str, str]) -> Path | None:
    """The files of a version, if they lie whole in this workspace or were fetched before. Reads every byte of them."""
    path, fetched = root / version["path"], _fetched(root, version)
    if dvc_hash(path) == version["dvc_md5"]:
        return path
    copied = version.get("store") == "artifact"  # MLflow writes a model's files anew: other bytes, and moved here when whole
    whole = copied and any(file.suffix in WEIGHTS for file in (fetched, *fetched.glob("*")) if file.is_file())
    return fetched if whole or dvc_hash(fetched) == version["dvc_md5"] else None


def fetch_folder(store: Store, version: dict[str, str]) -> Path:
    """The files of a version, brought into the state folder if they are not here. Raises InputError if they cannot be had."""
    here = local_folder(store.root, version)
    if here:
        return here
    target = _fetched(store.root, version)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    if version.get("store") == "artifact":
        _download(version, part)
    else:
        root = str(store.root)
        dvc(store.root, "get", root, version["path"], "--rev", version["commit"], "--out", str(part), "--force")
    _remove(target)  # what lies there is damaged, else it had been found
    part.replace(target)
    return target


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _download(version: dict[str, str], target: Path) -> None:
    """The copy that MLflow keeps: `model` of a transformers model, else `weights`."""
    import tempfile

    import mlflow

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        kept = Path(mlflow.artifacts.download_artifacts(artifact_uri=version["source"], dst_path=folder))
        found = next((kept / name for name in ("model", "weights") if (kept / name).exists()), None)
        if found is None:
            raise InputError(f"version {version['version']} of `{version['model']}` keeps no weights in MLflow.",
                             remedy="Register its commit again with `register.store: artifact`.")  # fmt: skip
        shutil.rmtree(target, ignore_errors=True)
        if (kept / "components" / "tokenizer").is_dir() and found.name == "model":
            shutil.copytree(kept / "components" / "tokenizer", found, dirs_exist_ok=True)
        shutil.move(found, target)


def _fetched(root: Path, version: dict[str, str]) -> Path:
    return state_dir(root) / "models" / version["dvc_md5"]
