"""A small made-up build with hostile texts, for tests of the page."""

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
        "evidence_ids": ["cwe:CWE-79#definition"], "request_hashes": [],
    }  # fmt: skip
    return EnrichedRow(**(values | changes))


def task_format(task: str, status: str) -> Format:
    """A format of two steps."""
    return Format(
        task=task, status=status, introduction="i", steps=["a", "b"], instructions=[], answer_line="", search=True, document=False,
        rewrite=True, author="x", reviewer=HOSTILE if status == "approved" else "", date="2026-01-01", version=1, sha256="0",
    )  # fmt: skip


def score(system: str, accuracy: float, *, benchmark: str = "secforge-mcq", protocol: str = "loglikelihood") -> dict[str, Any]:
    """An entry of `scores` with an interval of ten points to each side."""
    return {"benchmark": benchmark, "protocol": protocol, "system": system, "n": 120, "accuracy": accuracy,
            "low": max(0.0, accuracy - 0.1), "high": min(1.0, accuracy + 0.1), "unparsed": 3}  # fmt: skip


def write_metrics(root: Path) -> None:
    """Metrics files as the stages write them, cut down."""
    folder = root / "metrics"
    (folder / "timings").mkdir(parents=True)
    for name, values in METRICS.items():
        (folder / f"{name}.json").write_text(json.dumps(values))
    steps = "\n".join(f"{step},{4.0 / step + 1.2:.4f}" for step in range(1, 60))
    (folder / "finetune_loss.csv").write_text(f"step,loss\n{steps}\n")
    card = root / "data" / "validate" / "data_card.md"
    card.parent.mkdir(parents=True)
    card.write_text(f"# Data card\n\n{HOSTILE}\n")


METRICS: dict[str, dict[str, Any]] = {
    "tasks": {"rows": 21034, "tasks": 28, "by_task": {"cve-to-cwe": 2400, "technique-mitigations": 700}, "by_family": {"cve": 9000, HOSTILE: 30},
              "by_split": {"train": 20000, "dev": 1034}, "by_label": {"mapping": 4000}},
    "evaluate": {
        "scores": [score("base", 0.26), score("finetuned", 0.41), score("int8", 0.4), score("nf4", 0.36), score("tfidf-linear", 0.55, protocol="baseline"),
                   score("majority", 0.29, protocol="baseline")],
        "comparisons": [{"benchmark": "secforge-mcq", "protocol": "loglikelihood", "system": "finetuned", "reference": "base", "n": 120,
                         "difference": 0.15, "low": 0.04, "high": 0.26}],
    },
    "enrich": {"reasons": {"key-changed": 12, "unknown-id": 3}, "calibration": {"pairs": 12, "decisions": 24, "right": 11, "chance": 0.73,
               "accuracy": {"factuality": 0.5}, "by_kind": {"new-id": 0.5}, "position_bias": 0.5, "passed": False}},
}  # fmt: skip
