"""What a system's output answers, and whether that is right. Nothing found is an outcome of its own."""

from collections.abc import Sequence

from stages.answers import KINDS, answered_keys
from stages.errors import InputError


def extract(key_kind: str, text: str) -> list[str]:
    """Distinct keys of `key_kind` that `text` gives as its answer, in order; empty if it gives none."""
    if key_kind not in KINDS:
        raise InputError(
            f"There is no answer extractor for the key kind `{key_kind}`.",
            allowed=", ".join(sorted(KINDS)),
            remedy="Add one to stages/answers.py, or leave the benchmark out of evaluate.runs.",
        )
    return answered_keys(key_kind, text)


def is_correct(parsed: Sequence[str], key: Sequence[str]) -> bool:
    """Whether every answer given is a right one: naming many ids is no way to be right."""
    return bool(parsed) and set(parsed) <= set(key)
