"""Words, lengths and cuts of texts."""

import re

CHARS_PER_TOKEN = 4  # English prose in a byte-pair vocabulary; used for budgets only
_WORD = re.compile(r"[a-z0-9]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def words(text: str) -> list[str]:
    """Lower-case runs of letters and digits."""
    return _WORD.findall(text.lower())


def tokens(text: str) -> int:
    """Roughly how many tokens `text` has."""
    return len(text) // CHARS_PER_TOKEN + 1


def cut(text: str, limit: int) -> str:
    """`text` cut after the last whole sentence within `limit` tokens; a first sentence that is too long, after a word."""
    room = limit * CHARS_PER_TOKEN
    if len(text) <= room:
        return text
    kept = ""
    for sentence in _SENTENCE_END.split(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > room:
            break
        kept = longer
    return kept or text[:room].rsplit(" ", 1)[0]
