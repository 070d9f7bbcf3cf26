"""Hostile text for a page: control characters made visible, addresses checked, differences of two texts by word.

Nothing here makes markup but `visible`, which escapes all that it is given.
"""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup, escape

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode categories that show nothing, or change how others show
LONGEST_DIFFERENCE = 4_000_000  # product of the two word counts: above it a difference costs seconds
_SPECIAL = re.compile(r"[^\x20-\x7e\n\t]")
_ADDRESS = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)

Kind = Literal["same", "removed", "added"]


class Piece(msgspec.Struct, frozen=True):
    """A stretch of one of two compared texts."""

    kind: Kind
    text: str


def plain_visible(value: Any) -> str:
    """`value` as plain text in which every character that nobody would see stands as its code: `‹U+202E›`."""
    return _SPECIAL.sub(lambda found: f"‹{_code(found[0])}›" if _is_invisible(found[0]) else found[0], str(value))


def visible(value: Any) -> Markup:
    """`value` as text: escaped, each character that nobody would see shown by its code. Newline and tab stay."""
    text = str(value).replace("\r\n", "\n")
    parts: list[Markup] = []
    place = 0
    for found in _SPECIAL.finditer(text):
        if _is_invisible(found[0]):
            parts += [escape(text[place : found.start()]), _marked(found[0])]
            place = found.end()
    return Markup("").join([*parts, escape(text[place:])])


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _marked(character: str) -> Markup:
    name = unicodedata.name(character, "control character")
    return Markup('<span class="control" title="{}">{}</span>').format(f"{name}, shown by its code", _code(character))


def checked_address(uri: str) -> str:
    """`uri` if a link may be made of it: http or https, printable ASCII, a host, nobody's name in it; else empty."""
    if not _ADDRESS.fullmatch(uri) or set(uri) & set("\\<>\"'`{}|^"):
        return ""
    try:
        parts = urlsplit(uri)
        named = parts.hostname and parts.port != 0
    except ValueError:
        return ""
    return uri if named and "@" not in parts.netloc else ""


@lru_cache(maxsize=512)
def differences(original: str, rewritten: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts as pieces: `same` and `removed` of the first, `same` and `added` of the second.

    A single word that both share between two changes is noise to a reader and counts as changed.
    """
    first, second = _words(original), _words(rewritten)
    if len(first) * len(second) > LONGEST_DIFFERENCE:
        return [Piece("removed", original)], [Piece("added", rewritten)]
    blocks = SequenceMatcher(None, [word.strip() for word in first], [word.strip() for word in second], autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, start, end, other_start, other_end in blocks.get_opcodes():
        alone = tag == "equal" and end - start == 1 and start > 0 and end < len(first)
        same = tag == "equal" and not alone
        _append(left, "same" if same else "removed", "".join(first[start:end]))
        _append(right, "same" if same else "added", "".join(second[other_start:other_end]))
    return left, right


def _words(text: str) -> list[str]:
    """Words with the white space after them; joined they are `text`."""
    return re.findall(r"^\s+|\S+\s*", text)


def _append(pieces: list[Piece], kind: Kind, text: str) -> None:
    """Join with the last piece of the same kind; white space at the end of a change is no part of it."""
    if not text:
        return
    if pieces and pieces[-1].kind == kind:
        text = pieces.pop().text + text
    elif len(pieces) > 1 and pieces[-1].text.isspace() and pieces[-2].kind == kind:
        space = pieces.pop().text
        text = pieces.pop().text + space + text
    core = text if kind == "same" else text.rstrip()
    if core:
        pieces.append(Piece(kind, core))
    if len(core) < len(text):
        pieces.append(Piece("same", text[len(core) :]))
