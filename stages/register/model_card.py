"""The model card: Hugging Face model card format, written from the figures of the build and from nothing else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.register.workspace import Build

TUNED_FOLDERS = ("models/finetune/", "models/quantize/")
FRONT = (
    "---\nlanguage: [en]\nlibrary_name: transformers\npipeline_tag: text-generation\ntags: [cybersecurity, secforge]\n"
    "license: other\n---"
)
USE = (
    "## Use and limits\n\nMade for questions about public security knowledge: weaknesses, attack techniques, mitigations, detections. "
    "Its scores below say what it can do; where it does not beat a cheap baseline, use the baseline. It may name identifiers that do "
    "not exist: look every one up. It was not trained to refuse, and no answer of it may start an action without a person."
)


def model_card(root: Path, build: Build) -> str:
    """The card of all variants of the build in `root`; a figure that the build did not make is left out."""
    figures = {path.stem: _read(path) for path in sorted(root.glob("metrics/*.json"))}
    sections = [
        FRONT,
        f"# SecForge model of commit {build.commit[:10]}",
        _variants(build, figures.get("quantize", {})),
        USE,
        _training(root, figures),
        _data(figures.get("validate", {})),
        _scores(figures.get("evaluate", {})),
        f"## Rebuild\n\n`git checkout {build.commit}`, then `dvc pull` or `dvc repro`. SHA-256 of dvc.lock: `{build.lock_sha256}`.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def tuned_outputs(build: Build) -> dict[str, str]:
    """Folder of every variant that the build holds, by its name: finetuned (merged), adapter, int8, nf4, any other format."""
    names = {"merged": "finetuned"}
    found = sorted(path for path in build.hashes if path.startswith(TUNED_FOLDERS))
    return {names.get(path.rpartition("/")[2], path.rpartition("/")[2]): path for path in found}


def _variants(build: Build, quantized: Mapping[str, Any]) -> str:
    lines = []
    for name, path in tuned_outputs(build).items():
        figures = quantized.get(path.rpartition("/")[2]) or {}
        size, agreement = figures.get("bytes_on_disk"), figures.get("agreement")
        lines.append([name, path, f"{size / 1e6:,.0f} MB" if size else "-", "-" if agreement is None else f"{agreement:.3f}"])
    return _table("Variants", ["variant", "folder", "size", "agreement with the 16-bit model"], lines)


def _training(root: Path, figures: Mapping[str, Any]) -> str:
    finetune = figures.get("finetune") or {}
    config = _read(root / "data" / "finetune" / "manifest.json").get("config", {}).get("finetune", {})
    base = _read(root / "data" / "base" / "manifest.json").get("config", {}).get("base", {})
    facts = {
        "base model": base.get("hub_id") or base.get("member") or base.get("path"),
        "base revision": base.get("revision") or (base.get("pin") or {}).get("sha256"),
        **{key: finetune.get(key) for key in ("method", "rows", "tokens", "steps", "dev_loss_before", "dev_loss_after", "dtype")},
        **{key: config.get(key) for key in ("learning_rate", "rank", "epochs", "seed")},
    }
    return _table("Training", ["what", "value"], [[key, str(value)] for key, value in facts.items() if value not in (None, "")])


def _data(validate: Mapping[str, Any]) -> str:
    rows, checked = validate.get("rows") or {}, (validate.get("contamination") or {}).get("status", "not checked")
    lines = [*([f"rows, {key}", f"{value:,}"] for key, value in rows.items()), ["decontamination", checked]]
    return _table("Data", ["what", "value"], lines) + "\n\nThe data card of the build says the rest."


def _scores(evaluate: Mapping[str, Any]) -> str:
    lines = [
        [benchmark, protocol, system, str(cell["n"]), f"{cell['accuracy']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"]
        for benchmark, protocol, system, cell in score_cells(evaluate)
    ]
    level = evaluate.get("confidence")
    head = ["benchmark", "protocol", "system", "items", f"accuracy ({100 * level:g} % interval)" if level else "accuracy"]
    return _table("Scores", head, lines)


def score_cells(evaluate: Mapping[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Benchmark, protocol, system and figures of every whole score of metrics/evaluate.json."""
    for benchmark, protocols in sorted((evaluate.get("scores") or {}).items()):
        for protocol, systems in sorted(protocols.items()) if isinstance(protocols, dict) else ():
            for system, cell in sorted(systems.items()) if isinstance(systems, dict) else ():
                if isinstance(cell, dict) and {"n", "low", "high"} <= cell.keys() and cell.get("accuracy") is not None:
                    yield benchmark, protocol, system, cell


def _table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return f"## {title}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) if lines else ""


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
