"""What the two commands print."""

import json
from pathlib import Path
from typing import Any

from stages.config import PARAMS_FILE, load_params
from stages.profiles.estimate import Line, estimate
from stages.profiles.merge import apply_profile, check_sections, load_profile, merged


def apply_and_report(name: str) -> str:
    """Merge the profile and list every changed key, old and new."""
    changes = apply_profile(name)
    if not changes:
        return f"[profiles] params.yaml holds profile `{name}` already; nothing changed."
    lines = [f"  {change.key}: {_shown(change.old)} -> {_shown(change.new)}" for change in changes]
    back = f"{len(changes)} keys changed. See them with `git diff params.yaml`; go back with `git checkout params.yaml`."
    return "\n".join([f"[profiles] `{name}` merged into params.yaml:", *lines, back])


def estimate_and_report(name: str, root: Path = Path()) -> str:
    """The table of costs of params.yaml as it is, or with a profile merged over it (the file stays as it is)."""
    params = load_params(PARAMS_FILE)
    where = f"{PARAMS_FILE} with profile `{name}`" if name else str(PARAMS_FILE)
    sections = check_sections(merged(params, load_profile(name)) if name else params, where)
    metrics = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(root.glob("metrics/*.json"))}
    manifests = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in root.glob("data/*/manifest.json")}
    configs = {stage: manifest.get("config", {}) for stage, manifest in manifests.items()}
    return "\n".join([f"Estimate for {where}; nothing was called or fetched.", *_table(estimate(sections, metrics, configs))])


def _table(lines: list[Line]) -> list[str]:
    left, middle = max(len(line.what) for line in lines), max(len(line.figure) for line in lines)
    return [f"  {line.what:<{left}}  {line.figure:>{middle}}  {line.basis}" for line in lines]


def _shown(value: Any) -> str:
    text = "default" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"
