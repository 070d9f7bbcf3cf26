"""From the bytes of a page to clean text in Markdown: no markup, no script, nothing that a terminal or a template obeys."""

import codecs
import logging
import re
import unicodedata
from html import unescape
from typing import Any

from stages.control_tokens import without_control_tokens
from stages.ground.web.failures import Refused

HTML = ("text/html", "application/xhtml+xml")
KINDS = (*HTML, "text/plain")
ELEMENTS = 30_000  # of a page; a long article has 5,000, and the time of extraction grows with them
TITLE = 200  # characters
# Names of character sets that are read; others (utf-7, idna, unicode_escape, ...) are no encodings of pages.
_CHARSET = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|(?:us-)?ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|koi8-[ru]|gb18030|gbk|gb2312|big5"
    r"|shift[_-]jis|euc-(?:jp|kr)",
    re.IGNORECASE,
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?\s*+([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
# Sequences that move a cursor or colour text: CSI, OSC, and any other escape of two characters (ECMA-48).
_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]{0,100}[ -/]{0,20}[@-~]?|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|\x1b.?")
_NUMBERED = re.compile(r"&#(?:[0-9]{1,8}|[xX][0-9a-fA-F]{1,8});?")
_MARKUP = ("<", ">", "&", '"', "'")
_ESCAPED = re.compile(r"(```.*?```|(?<!\\)`[^`\n]+`)|(?<!\\)(\\++)([*_`~\[\]<])", re.DOTALL)
_ESCAPED_START = re.compile(r"^( {0,3}(?:\d{1,9})?)\\([-+>.)])", re.MULTILINE)
_KEPT = {"\n": "\n", "\t": " "}


def decoded(body: bytes, charset: str) -> str:
    """The text of a body: by the header's charset, the page's own, UTF-8, or byte by byte. Raises Refused for a binary."""
    if body.startswith(codecs.BOM_UTF8):
        body, charset = body[3:], "utf-8"
    own = _META.search(body[:2048])
    for name in (charset, own[1].decode("ascii") if own else "", "utf-8"):
        if not _CHARSET.fullmatch(name):
            continue
        try:
            text = body.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        return _not_binary(text)
    return _not_binary(body.decode("cp1252", errors="replace"))


def _not_binary(text: str) -> str:
    if "\x00" in text or text.startswith("%PDF-"):
        raise Refused("binary")
    return text


def markdown(body: str, content_type: str) -> str:
    """The main text of a page, cleaned; empty if it has none. Raises Refused for a page that is too large to read."""
    return clean(_main_text(body) if content_type in HTML else body)


def title_of(body: str, content_type: str) -> str:
    """The title of a page in one line; empty for plain text."""
    tree = _tree(body) if content_type in HTML else None
    found = tree.find(".//title") if tree is not None else None
    return one_line(found.text_content()) if found is not None else ""


def one_line(title: str) -> str:
    """`title` as a terminal shows it: single spaces in place of line ends and other spaces, at most TITLE characters."""
    return " ".join(clean(title).split())[:TITLE]


def clean(text: str) -> str:
    """`text` without escape sequences and invisible characters; control tokens of chat templates are broken up."""
    return without_control_tokens(_visible(text)).strip()


def _visible(text: str) -> str:
    plain = _ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(_KEPT.get(character, "" if unicodedata.category(character)[0] == "C" else character) for character in plain)


def _main_text(body: str) -> str:
    """What trafilatura takes for the text of the page, without navigation, comments and footers."""
    import trafilatura
    from lxml import etree

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # its warnings tell no page, and would stand between our lines

    tree = _tree(body)
    if tree is None:
        return ""
    if sum(1 for _ in tree.iter()) > ELEMENTS:
        raise Refused("too-complex")
    try:
        found = trafilatura.extract(
            tree, output_format="markdown", include_comments=False, include_tables=True, include_links=False, include_images=False
        )
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, etree.LxmlError):
        raise Refused("unreadable") from None  # markup that the library was not written for
    return _as_said(found or "")


def _as_said(text: str) -> str:
    """Markdown without the backslashes that keep `HKEY_LOCAL_MACHINE` or `[1]` from being markup; code is left as it is."""

    def said(found: re.Match[str]) -> str:
        code, slashes, sign = found.groups()
        return code or "\\" * (len(slashes) // 2) + sign

    return _ESCAPED_START.sub(r"\1\2", _ESCAPED.sub(said, text))


def _written(reference: re.Match[str]) -> str:
    """A numeric character reference as its character, if it is visible; markup stays a reference, so that it is none."""
    character = unescape(reference[0])
    return reference[0] if character in _MARKUP else _visible(character)


def _tree(body: str) -> Any:
    """The parsed page, or None. lxml's HTML parser asks no network, and expands no entity that a page defines."""
    from lxml import etree, html

    try:
        seen = _NUMBERED.sub(_written, _visible(_XML_DECLARATION.sub("", body)))
        tree = html.fromstring(seen, parser=html.HTMLParser(no_network=True, remove_pis=True))
    except (etree.ParserError, etree.ParseError, ValueError):
        return None
    return tree.getroottree().getroot()
