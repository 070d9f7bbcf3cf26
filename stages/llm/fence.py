"""Text as data: a prompt file puts `<<DATA>>` and `<<END-DATA>>` around it, and no text can hold such a mark.

A model reads what a mark looks like, not its bytes: `＜＜ＥＮＤ－ＤＡＴＡ＞＞`, a Cyrillic `А` and a letter with a zero-width
space behind it are taken for what they seem to be (https://www.unicode.org/reports/tr39/ calls them confusables).
"""

import re
import unicodedata
from collections.abc import Iterable

from stages.tables import content_id

OPENING, CLOSING = "<<DATA>>", "<<END-DATA>>"  # as they stand in a prompt file
_ANY_FENCE = re.compile(  # bounded repetitions: a hostile text must not cost its square
    r"<{2,9}\s{0,9}/?\s{0,9}(?:END[-_\s]{0,9}(?:OF[-_\s]{0,9})?)?DATA[^<>\n]{0,40}>{0,9}"
    r"|<\s{0,9}/?\s{0,9}END[-_\s]{0,9}(?:OF[-_\s]{0,9})?DATA[^<>\n]{0,40}>",
    re.IGNORECASE,
)
_OTHER = re.compile(r"[^\x00-\x7f]")
_SEEMS = {  # what NFKD leaves as it is: brackets, dashes, and letters of other scripts that look like those of the marks
    "<": "‹〈⟨❮❰ᐸ˂⧼", "<<": "«《⟪≪⋘", ">": "›〉⟩❯❱ᐳ˃⧽", ">>": "»》⟫≫⋙", "-": "‐‑‒–—―−⁃─", "/": "∕⁄╱",
    "A": "АΑᎪᴀ", "a": "аɑα", "D": "Ꭰᗪᴅ", "d": "ԁᏧ", "E": "ЕΕᎬᴇ", "e": "еҽ", "F": "Ϝꓝғ", "N": "Νɴꓠ", "n": "ոп", "O": "ОΟᴏ", "o": "оο",
    "T": "ТΤᎢᴛ", "t": "тτ",
}  # fmt: skip
_RESOLVED = "\u226e\u2329\ufe3d\ufe3f\ufe64\uff1c"  # NFKD makes `<` of them, or what seems to be one
_ANGLE = re.compile(f"[<{_RESOLVED}{_SEEMS['<']}{_SEEMS['<<']}]")  # none in a text: nothing in it can look like a mark
_LOOKS_LIKE = str.maketrans({character: seems for seems, characters in _SEEMS.items() for character in characters})


def fences(values: Iterable[str]) -> tuple[str, str]:
    """Opening and closing mark of a prompt filled with `values`: no author of one value can know them."""
    mark = content_id("fence", *values)[:4]
    return f"<<DATA-{mark}>>", f"<<END-DATA-{mark}>>"


def marked(template: str, opening: str, closing: str) -> str:
    """A prompt file's text with the marks of this prompt."""
    return template.replace(OPENING, opening).replace(CLOSING, closing)


def defuse(text: str) -> str:
    """`text` without marks, until none is left: removing one must not build another."""
    while found := _spans(text):
        pieces = zip([0, *(end for _, end in found)], [*(start for start, _ in found), len(text)], strict=True)
        text = " ".join(text[start:end] for start, end in pieces)
    return text


def leaks_fence(text: str) -> bool:
    """Whether an answer repeats a mark."""
    return bool(_spans(text))


def leaked_fences(text: str) -> list[str]:
    """The marks that an answer repeats, as it writes them."""
    return [text[start:end] for start, end in _spans(text)]


def _spans(text: str) -> list[tuple[int, int]]:
    """Where marks stand in `text`: start and end of each."""
    if not _ANGLE.search(text):
        return []
    if text.isascii():
        return [found.span() for found in _ANY_FENCE.finditer(text)]
    seen = _seen(text)
    if not _ANY_FENCE.search(seen):
        return []
    places = [place for place, character in enumerate(text) for _ in _seen(character)]
    return [(places[found.start()], places[found.end() - 1] + 1) for found in _ANY_FENCE.finditer(seen)]


def _seen(text: str) -> str:
    """`text` as it looks: compatibility forms resolved, accents and invisible characters left out, look-alikes replaced."""
    seen = unicodedata.normalize("NFKD", text).translate(_LOOKS_LIKE)
    return _OTHER.sub(lambda other: "" if unicodedata.category(other[0]) in ("Cf", "Mn", "Me") else other[0], seen)
