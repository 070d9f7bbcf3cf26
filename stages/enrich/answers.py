"""Named extractors: the key of a checkable answer, read from its `Final answer:` line and never asked of a model."""

import re

_LINE = re.compile(r"^[\W_]*final answer[\W_]*?:[\s*_`]*(.*?)[\s*_`.]*$", re.IGNORECASE | re.MULTILINE)
_KINDS = {
    "letter": re.compile(r"\b([A-Z])\b"),
    "yes-no": re.compile(r"\b(yes|no)\b", re.IGNORECASE),
    "cwe": re.compile(r"\bCWE-\d+\b", re.IGNORECASE),
    "technique": re.compile(r"\bT\d{4}(?:\.\d{3})?\b", re.IGNORECASE),
}


def extract_key(text: str, kind: str) -> tuple[str, ...]:
    """Sorted values on the last `Final answer:` line of `text`; empty if there is no such line or nothing of `kind` on it.

    `kind` is letter, yes-no, cwe, technique; any other kind takes the parts between commas as they are.
    """
    lines = _LINE.findall(text)
    if not lines:
        return ()
    pattern = _KINDS.get(kind)
    found = pattern.findall(lines[-1]) if pattern else lines[-1].split(",")
    return tuple(sorted({" ".join(value.split()).casefold() for value in found if value.strip()}))
