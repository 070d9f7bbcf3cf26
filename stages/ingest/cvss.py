"""CVSS 3.1 base vectors: in one spelling, with the score and the severity that follow from them.

The formula and its weights are those of the specification (https://www.first.org/cvss/v3.1/specification-document,
sections 7.1, 7.4 and 5). Scores are computed and not copied: publishers put temporal scores into the base score's place.
"""

from functools import lru_cache
from typing import Any

_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 0.0},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES_CHANGED = {"N": 0.85, "L": 0.68, "H": 0.5}  # weights of PR where the scope changes
_SEVERITIES = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"), (0.0, "NONE"))
_PREFIX = "CVSS:3.1/"


def cvss_fields(vector: str) -> dict[str, Any]:
    """`cvss_vector` (eight base metrics in the specification's order), `cvss_score` and `cvss_severity`.

    Nothing for a vector of another version, or one that lacks a base metric or gives it an unknown value.
    """
    return dict(_fields(vector)) if vector.startswith(_PREFIX) else {}


@lru_cache(maxsize=1 << 14)  # 30,000 records have 1,833 vectors
def _fields(vector: str) -> dict[str, Any]:
    given = dict(part.split(":", 1) for part in vector[len(_PREFIX) :].split("/") if ":" in part)
    metrics = {name: given.get(name, "") for name in _WEIGHTS}
    if any(value not in _WEIGHTS[name] for name, value in metrics.items()):
        return {}
    score = base_score(metrics)
    written = _PREFIX + "/".join(f"{name}:{value}" for name, value in metrics.items())
    return {"cvss_vector": written, "cvss_score": score, "cvss_severity": severity(score)}


def base_score(metrics: dict[str, str]) -> float:
    """Base score, 0.0-10.0, of the eight base metrics by their abbreviations."""
    changed = metrics["S"] == "C"
    weights = {name: _WEIGHTS[name][value] for name, value in metrics.items()}
    if changed:
        weights["PR"] = _PRIVILEGES_CHANGED[metrics["PR"]]
    lost = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return 0.0
    total = impact + 8.22 * weights["AV"] * weights["AC"] * weights["PR"] * weights["UI"]
    return _round_up(min(total * 1.08 if changed else total, 10))


def severity(score: float) -> str:
    """NONE, LOW, MEDIUM, HIGH or CRITICAL."""
    return next(name for least, name in _SEVERITIES if score >= least)


def _round_up(value: float) -> float:
    """To the next tenth, on whole numbers as the specification asks, so that every machine gives the same."""
    scaled = round(value * 100_000)
    return scaled / 100_000 if scaled % 10_000 == 0 else (scaled // 10_000 + 1) / 10
