"""Text as data: a prompt file puts `<<DATA>>` and `<<END-DATA>>` around it, and no text can hold such a mark."""

import re
from collections.abc import Iterable

from stages.tables import content_id

OPENING, CLOSING = "<<DATA>>", "<<END-DATA>>"  # as they stand in a prompt file
_ANY_FENCE = re.compile(r"<{2,}\s*/?\s*(?:END[-_ ]?)?DATA[^<>\n]{0,40}>{0,3}", re.IGNORECASE)


def fences(values: Iterable[str]) -> tuple[str, str]:
    """Opening and closing mark of a prompt filled with `values`: no author of one value can know them."""
    mark = content_id("fence", *values)[:4]
    return f"<<DATA-{mark}>>", f"<<END-DATA-{mark}>>"


def marked(template: str, opening: str, closing: str) -> str:
    """A prompt file's text with the marks of this prompt."""
    return template.replace(OPENING, opening).replace(CLOSING, closing)


def defuse(text: str) -> str:
    """`text` without marks, until none is left: removing one must not build another."""
    while (cleaned := _ANY_FENCE.sub(" ", text)) != text:
        text = cleaned
    return text


def leaks_fence(text: str) -> bool:
    """Whether an answer repeats a mark."""
    return _ANY_FENCE.search(text) is not None


def leaked_fences(text: str) -> list[str]:
    """The marks that an answer repeats, as it writes them."""
    return _ANY_FENCE.findall(text)
