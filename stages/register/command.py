"""Registering in words for people."""

from pathlib import Path

from stages.register.collect import collect, mask
from stages.register.injection import refuse_foreign_reports
from stages.register.params import RegisterParams
from stages.register.record import Outcome, register
from stages.register.store import open_store
from stages.register.workspace import committed_build


def register_build(root: Path) -> str:
    """Register the build at HEAD of `root` and say what was done. Raises SecForgeError if it must not be."""
    build = committed_build(root)
    refuse_foreign_reports(root, build)
    record = collect(root, build)
    store = open_store(root)
    outcome = register(store.client, build, record, store.params, root)
    return _summary(outcome, build.commit, store.params, store.uri)


def _summary(outcome: Outcome, commit: str, params: RegisterParams, uri: str) -> str:
    versions = ", ".join(f"{variant} v{number}" for variant, number in sorted(outcome.versions.items()))
    done = "was registered before, nothing changed" if outcome.existed else f"registered, `{params.alias}` is {params.aliased}"
    return f"[register] commit {commit[:10]} {done}: model `{params.model}` {versions or 'no variants'} | run {outcome.run_id} | {mask(uri)}"
