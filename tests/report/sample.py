"""A small made-up build with hostile texts, for tests of the page."""

import csv
import json
from pathlib import Path
from typing import Any

from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format

HOSTILE = "<script>alert('x')</script><img src=https://tracker.example/p.gif onerror=alert(1)> {{ 7 * 7 }} ]]>"


def enriched_row(number: int, **changes: Any) -> EnrichedRow:
    """A rejected rewrite; `changes` make it another outcome."""
    values: dict[str, Any] = {
        "id": f"{number:016x}", "task": "cve-to-cwe", "family": "cve", "instruction": f"Which weakness is at the root of case {number}?",
        "answer": "Final answer: CWE-79", "template_answer": "The page echoes the query.\nFinal answer: CWE-79",
        "rewrite": "1. The flaw\nInput reaches the page unescaped.\nFinal answer: CWE-89", "key_kind": "cwe", "answer_key": ["CWE-79"],
        "subject": "cve:CVE-2021-0001", "entity_ids": ["cve:CVE-2021-0001"], "split": "train", "labels": [], "sources": ["cwe"],
        "licences": ["MIT"], "decision": "template", "reasons": ["key-changed"], "readability": "tie", "factuality": 4,
        "format_sha256": "0", "steps_followed": 1,
        "evidence_ids": ["cwe:CWE-79#definition"], "request_hashes": [],
    }  # fmt: skip
    return EnrichedRow(**(values | changes))


def task_format(task: str, status: str) -> Format:
    """A format of two steps."""
    return Format(
        task=task, status=status, introduction="i", steps=["a", "b"], instructions=[], answer_line="", search=True, document=False,
        rewrite=True, author="x", reviewer=HOSTILE if status == "approved" else "", date="2026-01-01", version=1, sha256="0",
    )  # fmt: skip


def score(accuracy: float) -> dict[str, Any]:
    """A score with an interval of ten points to each side."""
    return {"n": 120, "accuracy": accuracy, "low": max(0.0, accuracy - 0.1), "high": min(1.0, accuracy + 0.1), "unparseable": 3}


def difference(value: float, low: float, high: float) -> dict[str, Any]:
    """A paired comparison."""
    return {"n": 120, "difference": value, "low": low, "high": high}


def format_figures(n: int) -> dict[str, Any]:
    """Figures of a format whose every rewrite was kept by a judge that could not decide."""
    return {"n": n, "kept": n, "acceptance": {"value": 1.0, "low": 0.27, "high": 1.0}, "wins": 0, "ties": 0, "losses": 0, "inconsistent": n,
            "unjudged": 0, "mean_factuality": 7.0, "steps_followed": 0.6667, "words": 30.0, "length_ratio": 1.5, "tokens": 1400.0, "usd": None,
            "reasons": {}}  # fmt: skip


def write_metrics(root: Path) -> None:
    """Metrics files as the stages write them, cut down."""
    folder = root / "metrics"
    (folder / "timings").mkdir(parents=True)
    for name, values in METRICS.items():
        (folder / f"{name}.json").write_text(json.dumps(values))
    steps = "\n".join(f"{step},{4.0 / step + 1.2:.4f}" for step in range(1, 60))
    (folder / "finetune_loss.csv").write_text(f"step,loss\n{steps}\n")
    with open(folder / "validate_dimensions.csv", "w", encoding="utf-8", newline="") as file:
        lines = [("year", "2020", 3, 0.25), ("year", "2021", 9, 0.75), ("source", HOSTILE, 12, 1.0)]
        lines += [("task", f"task {number}", 1, 0.02) for number in range(50)]
        csv.writer(file).writerows([("dimension", "value", "rows", "share"), *lines])
    card = root / "data" / "validate" / "data_card.md"
    card.parent.mkdir(parents=True)
    card.write_text(f"# Data card\n\n{HOSTILE}\n")


METRICS: dict[str, dict[str, Any]] = {
    "tasks": {"rows": 21034, "tasks": 28, "by_task": {"cve-to-cwe": 2400, "technique-mitigations": 700}, "by_family": {"cve": 9000, HOSTILE: 30},
              "by_split": {"train": 20000, "dev": 1034}, "by_label": {"mapping": 4000}},
    "evaluate": {
        "confidence": 0.9,
        "by_key_in_training": {"secforge-rcm": {"generative": {"finetuned": {"seen": {"n": 77, "accuracy": 0.5}, "unseen": {"n": 43, "accuracy": 0.0}}}}},
        "benchmarks": {"secforge-mcq": {"items": 400, "chance": 0.25}},
        "scores": {"secforge-mcq": {
            "loglikelihood": {"base": score(0.26), "finetuned": score(0.41), "int8": score(0.4), "nf4": score(0.36)},
            "baseline": {"tfidf-linear": score(0.55), "majority": score(0.29)},
        }},
        "comparisons": {"secforge-mcq": {"loglikelihood": {"finetuned": {
            "base": difference(0.15, 0.04, 0.26), "tfidf-linear": difference(-0.14, -0.24, -0.03), "majority": difference(0.12, 0.01, 0.2)}}}},
        "retention": {"secforge-mcq": {"loglikelihood": {"int8": {"n": 120, "ratio": 0.98, "low": 0.9, "high": 1.05}}}},
    },
    "formats": {"agreement": {"tasks": {"cve-to-cwe": {"pairs": 4, "agreed": 3, "share": 0.75, "kappa": 0.5}}}},
    "enrich_formats": {"confidence": 0.9, "all": format_figures(2), "tasks": {"cve-to-cwe": format_figures(1), HOSTILE: format_figures(1)}},
    "quantize": {"merged": {"bits": 16, "bytes_on_disk": 269_000_000, "bits_per_parameter": 16.0, "agreement": 1.0},
                 "int8": {"bits": 8, "bytes_on_disk": 163_000_000, "bits_per_parameter": 9.7, "agreement": 0.98}, "prompts": {"count": 8}},
    "enrich": {"tried": 22, "decisions": {"rewritten": 1, "template": 21, "not-selected": 20000}, "reasons": {"key-changed": 12, "unknown-id": 3}, "calibration": {"pairs": 12, "decisions": 24, "right": 11, "chance": 0.73,
               "accuracy": {"factuality": 0.5}, "by_kind": {"new-id": 0.5}, "position_bias": 0.5, "passed": False}},
}  # fmt: skip
