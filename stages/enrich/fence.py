"""Evidence as data: a delimiter that depends on the row, and that no evidence can hold."""

import re

from stages.tables import content_id

_ANY_FENCE = re.compile(r"<{2,}\s*/?\s*(?:END[-_ ]?)?EVIDENCE[^<>\n]{0,40}>{0,3}", re.IGNORECASE)


def fences(row_id: str) -> tuple[str, str]:
    """Opening and closing delimiter of the row's evidence."""
    mark = content_id("evidence-fence", row_id)[:8]
    return f"<<EVIDENCE-{mark}>>", f"<<END-EVIDENCE-{mark}>>"


def fenced(row_id: str, texts: list[str]) -> tuple[str, str, str]:
    """Opening delimiter, body and closing delimiter; whatever looks like a delimiter is taken out of the texts."""
    opening, closing = fences(row_id)
    mark = opening.removeprefix("<<EVIDENCE-").removesuffix(">>")
    body = "\n".join(f"- {defuse(text, mark)}" for text in texts) or "(none)"
    return opening, body, closing


def defuse(text: str, mark: str) -> str:
    """One line of text without delimiters, until none is left: removing one must not build another."""
    line = " ".join(text.split())
    while True:
        cleaned = _ANY_FENCE.sub(" ", line).replace(mark, " ")
        if cleaned == line:
            return line
        line = cleaned


def leaks_fence(text: str) -> bool:
    """Whether an answer repeats a delimiter."""
    return _ANY_FENCE.search(text) is not None
