"""What a run holds: params, figures, curves, tags and documents of a build, as plain data without MLflow."""

import csv
import json
import math
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from stages.config import load_params
from stages.register.model_card import model_card
from stages.register.workspace import PREDICTIONS, Build

LIBRARIES = ("accelerate", "bitsandbytes", "datasets", "dvc", "great-expectations", "mlflow", "numpy", "openai", "peft",
             "pyarrow", "torch", "transformers")  # fmt: skip
DOCUMENTS = ("data/report/index.html", "metrics/timings/report.html", "data/validate/data_card.md", "dvc.lock", "params.yaml",
             "metrics/*.json", "metrics/*.csv", "metrics/timings/*.json", "data/*/manifest.json")  # fmt: skip
MODEL_CARD = "model_card.md"
LONGEST_PARAM = 500  # characters of a param value; the whole params.yaml is an artifact of the run

KEYS = (  # OpenAI and Anthropic, Hugging Face, GitHub, GitLab, AWS, Slack; JSON web tokens; what follows `Bearer`
    r"\b(?:sk-[\w-]{16,}|hf_\w{16,}|gh[opsru]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|xox[abprs]-[\w-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})|(?<=Bearer )[\w.~+/=-]{16,}"
)


class Point(msgspec.Struct, frozen=True):
    """One figure; `step` is 0 unless it belongs to a curve."""

    key: str
    value: float
    step: int = 0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run holds, secrets masked."""

    params: dict[str, str]
    points: list[Point]
    tags: dict[str, str]
    documents: dict[str, str]  # artifact name -> text
    files: dict[str, Path] = {}  # artifact name -> a table, taken as it is


def collect(root: Path, build: Build) -> Record:
    """The record of the build in the workspace `root`."""
    return Record(
        params=dict(sorted(_params(root))),
        points=[*_figures(root), *_curve(root / "metrics" / "finetune_loss.csv")],
        tags={"secforge.commit": build.commit, "secforge.lock": build.lock_sha256, **hardware(), **libraries()},
        documents={**_documents(root), MODEL_CARD: mask(model_card(root, build))},
        files={PREDICTIONS: root / PREDICTIONS} if (root / PREDICTIONS).exists() else {},
    )


def mask(text: str) -> str:
    """`text` with passwords of URLs, values of key-like query arguments and keys of known forms replaced by `***`."""
    text = re.sub(r"(?<=://)([^/\s:@'\"]*):[^/\s@'\"]+@", r"\1:***@", text)
    text = re.sub(KEYS, "***", text)
    return re.sub(r"(?i)([?&](?:[a-z_]*key|token|password|secret)=)[^&\s'\"]+", r"\1***", text)


def flatten(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Leaves of nested dicts and of lists that hold dicts, with dotted names; other lists are leaves."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flatten(inner, f"{prefix}.{name}")
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for position, inner in enumerate(value):
            named = inner.get("name") or inner.get("id") if isinstance(inner, dict) else None
            yield from flatten(inner, f"{prefix}.{named or position}")
    else:
        yield prefix, value


def hardware() -> dict[str, str]:
    """Tags that describe the machine that registers (in the default flow the machine that built)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "hardware.cpu": _cpu_name(),
        "hardware.cores": str(os.cpu_count()),
        "hardware.memory_gib": f"{memory:.0f}",
        "hardware.gpu": _gpu_names() or "none",
        "hardware.system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def libraries() -> dict[str, str]:
    """Tags `library.<name>` = installed version; a library that is not installed has none."""
    found = {}
    for name in LIBRARIES:
        try:
            found[f"library.{name}"] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[f"library.{name}"] = "not installed"
    return found


def _params(root: Path) -> Iterator[tuple[str, str]]:
    """Resolved sections as the stages' manifests recorded them, over what params.yaml says of the others."""
    sections = dict(load_params(root / "params.yaml"))
    for manifest in sorted(root.glob("data/*/manifest.json")):
        sections.update(json.loads(manifest.read_text(encoding="utf-8")).get("config", {}))
    for section, values in sections.items():
        for key, value in flatten(values, section):
            text = mask(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            yield _key(key), text if len(text) <= LONGEST_PARAM else text[: LONGEST_PARAM - 1] + "…"


def _documents(root: Path) -> dict[str, str]:
    found = sorted({path for pattern in DOCUMENTS for path in root.glob(pattern)})
    return {path.relative_to(root).as_posix(): mask(path.read_text(encoding="utf-8")) for path in found}


def _figures(root: Path) -> Iterator[Point]:
    """Figures of every stage; those of the machine start with `timings.`."""
    for prefix, pattern in (("", "metrics/*.json"), ("timings.", "metrics/timings/*.json")):
        for path in sorted(root.glob(pattern)):
            for key, value in flatten(json.loads(path.read_text(encoding="utf-8")), prefix + path.stem):
                if isinstance(value, (bool, int, float)) and math.isfinite(value):
                    yield Point(_key(key), float(value))


def _curve(path: Path) -> Iterator[Point]:
    """Every numeric column of the loss table as a curve over its `step` column."""
    if not path.exists():
        return
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name, text in row.items():
                if name != "step" and text:
                    yield Point(f"finetune.curve.{name}", float(text), int(float(row["step"])))


def _key(name: str) -> str:
    """`name` with the characters that MLflow allows in keys, at most 250 of them."""
    return re.sub(r"[^\w\-. /:]", "_", name)[:250]


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.M) if cpuinfo.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def _gpu_names() -> str:
    if not shutil.which("nvidia-smi"):
        return ""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return ", ".join(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")).strip(", ")
