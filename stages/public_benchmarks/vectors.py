"""CVSS v3.0 and v3.1 base vectors in an output, and their base scores by the library `cvss`."""

import re
from collections.abc import Sequence

from stages.public_benchmarks.text import answer_lines, bare, boxed, last_line, lines_of

METRICS = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"}
_PAIR = r"(?:AV|AC|PR|UI|S|C|I|A|E|RL|RC)[ \t]{0,2}:[ \t]{0,2}[A-Z]"
_STRICT = re.compile(rf"CVSS:3\.[01](?:/{_PAIR.replace('[ ' + chr(92) + 't]{0,2}', '')}){{8,11}}", re.IGNORECASE)
_VECTOR = re.compile(
    rf"(?<![A-Za-z0-9:./])(?:CVSS:?[ \t]{{0,2}}v?3(?:\.[01])?[ \t]{{0,2}}[/:]?[ \t]{{0,2}})?\(?({_PAIR}(?:[ \t]{{0,2}}[/,;][ \t]{{0,2}}{_PAIR}){{7,10}})"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_NAMES = {
    "AV": "Attack Vector", "AC": "Attack Complexity", "PR": "Privileges Required", "UI": "User Interaction",
    "S": "Scope", "C": "Confidentiality", "I": "Integrity", "A": "Availability",
}  # fmt: skip
_VALUES = {
    "network": "N", "adjacent": "A", "adjacent network": "A", "local": "L", "physical": "P", "low": "L", "high": "H",
    "none": "N", "required": "R", "unchanged": "U", "changed": "C",
}  # fmt: skip
_LISTED = {
    metric: re.compile(
        rf"(?:\b{name}(?: Impact| Requirement)?\b[ \t*_]{{0,4}}(?:\({metric}\))?|(?<![A-Za-z]){metric})[ \t*_]{{0,4}}[:=-][ \t*_`]{{0,4}}"
        rf"(?:\(?([A-Z])\)?(?![A-Za-z])|({'|'.join(sorted(_VALUES, key=len, reverse=True))})\b)",
        re.IGNORECASE,
    )
    for metric, name in _NAMES.items()
}


def strict_vector(text: str, options: Sequence[str] = ()) -> list[str]:
    """The base vector if it alone, with its prefix `CVSS:3.0/` or `CVSS:3.1/`, is the last line."""
    line = last_line(text)
    return _valid(line.partition("/")[2]) if _STRICT.fullmatch(line) else []


def lenient_vector(text: str, options: Sequence[str] = ()) -> list[str]:
    """The base vector that the output gives as its answer: any case and order, with or without prefix, spaces, further metrics.

    The last whole one that is boxed, stands after `Answer:`, has a line to itself, or is named at all, in this order. Where none
    is written out, one is put together from a list of all eight metrics (`Attack Vector (AV): Network`).
    """
    alone = [line for line in lines_of(text) if (found := _VECTOR.search(line)) and not bare(line.replace(found[0], ""))]
    for place in [*reversed(boxed(text)), *reversed(answer_lines(text)), *reversed(alone)]:
        if (found := _VECTOR.search(place)) and (vector := _valid(found[1])):
            return vector
    written = _VECTOR.findall(text)
    return next((vector for found in reversed(written) if (vector := _valid(found))), [] if written else _listed(text))


def base_vector(text: str) -> str:
    """The eight base metrics of a key, in the order of the specification, as v3.1; empty if it is no such vector."""
    return next(iter(_valid(text.strip().upper().removeprefix("CVSS:3.0/").removeprefix("CVSS:3.1/"))), "")


def base_score(vector: str) -> float:
    """Base score 0-10 of a whole vector. v3.0 and v3.1 give the same base scores but for rounding; 3.1 is taken.

    https://www.first.org/cvss/v3.1/specification-document, section 7.
    """
    from cvss import CVSS3

    return float(CVSS3(vector).base_score)


def _valid(pairs: str) -> list[str]:
    """The normalised vector of `AV:N/AC:L/...`; nothing if a base metric is absent, wrong or given twice."""
    parts = [
        tuple(part.split(":", 1)) for part in re.sub(r"[ \t]", "", pairs).upper().replace(",", "/").replace(";", "/").split("/")
    ]
    base = [part for part in parts if part[0] in METRICS and len(part) == 2]
    values = dict(base)
    if len(base) != len(METRICS) or set(values) != set(METRICS):
        return []
    if any(value not in METRICS[metric] or len(value) != 1 for metric, value in values.items()):
        return []
    return ["CVSS:3.1/" + "/".join(f"{metric}:{values[metric]}" for metric in METRICS)]


def _listed(text: str) -> list[str]:
    pairs = []
    for metric, pattern in _LISTED.items():
        found = pattern.findall(text)
        if not found:
            return []
        letter, word = found[-1]
        pairs.append(f"{metric}:{letter or _VALUES[word.lower()]}")
    return _valid("/".join(pairs))
