"""Markdown pages as sections of prose, by a CommonMark parser with tables.

Of a publisher's page the code blocks are left out (examples of attacks are most of them), with the sentence that announces
one, and so are lines that are nothing but a link: tables of contents and references. A user's own page is kept whole.
"""

import re
from typing import Any

import msgspec

from stages.ingest.containers import Member
from stages.ingest.records import Records
from stages.ingest.text import tidy

PAGE_LIMIT = 1 << 19  # bytes: the longest known page has 0.1 MB, and what was made to be slow takes 5 s at this size
_ATTRIBUTES = re.compile(r"\{:[^{}\n]*\}|\{% *(?:end)?raw *%\}")  # of kramdown and Jekyll: `{: style="height:80px"}`, `{% raw %}`
_ANNOUNCEMENT = re.compile(r"(?:^|(?<=[.!?] ))[^.!?]*(?:[.!?](?! )[^.!?]*)*:$")
_BULLET = re.compile(r"-|\d+[.)] ")
_BARE_BULLET = re.compile(r"(?:-|\d+[.)])?")
_ALERT = re.compile(r"^\[!\w+\]\s*")  # of GitHub: `[!WARNING]`
_NUMBERING = re.compile(r"[\d\s.,;:()\-–]*")


class Section(msgspec.Struct):
    """What stands between two headings."""

    heading: str  # empty before the first heading
    level: int  # 1 for the title, 0 before the first heading
    under: str = ""  # the heading above, below the title
    lines: list[str] = []  # paragraphs, list items as `- item`, table rows as `column: cell; column: cell`
    items: list[str] = []  # the list items alone

    @property
    def text(self) -> str:
        """The prose, one line per paragraph or item."""
        return "\n".join(self.lines)


def read_page(member: Member, records: Records, *, whole: bool = False) -> list[Section] | None:
    """The sections of a page, or None and a reject if it is no Markdown text of a sensible size."""
    if len(member.content) > PAGE_LIMIT:
        records.reject(member.name, "oversized", f"{len(member.content):,} bytes; at most {PAGE_LIMIT:,}")
        return None
    try:
        return parse_sections(member.content.decode("utf-8-sig"), whole=whole)
    except UnicodeDecodeError as error:
        records.reject(member.name, "not-utf8", str(error))
    except RecursionError as error:
        records.reject(member.name, "broken-record", str(error))
    return None


def parse_sections(text: str, *, whole: bool = False) -> list[Section]:
    """All sections in their order, those without prose too. `whole` keeps code blocks and lines of links."""
    from markdown_it import MarkdownIt

    page = _Page(whole)
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        page.add(token)
    for section in page.sections if not whole else []:
        _drop_announcement(section.lines)
    return page.sections


def prose(sections: list[Section]) -> str:
    """The text of several sections; those below the first begin with their heading: `Limits: Set one for each client.`"""
    lines: list[str] = []
    for number, section in enumerate(sections):
        heading = f"{section.heading.rstrip(':')}:" if number and section.heading else ""
        glue = "\n" if _BULLET.match(section.text) else " "
        lines += [f"{heading}{glue if heading else ''}{section.text}"] if section.lines else []
    return "\n".join(lines)


def branches(sections: list[Section], level: int = 2) -> list[tuple[str, list[Section]]]:
    """(heading of `level`, that section and all below it) in the order of the page."""
    found: list[tuple[str, list[Section]]] = []
    for section in sections:
        if section.level == level:
            found.append((section.heading, [section]))
        elif found and section.level > level:
            found[-1][1].append(section)
    return found


class _Page:
    """Collects the parser's tokens, which come flat: what opens, its content, what closes."""

    def __init__(self, whole: bool) -> None:
        self.sections = [Section(heading="", level=0)]
        self._whole = whole
        self._heading = 0  # level of the heading that is open
        self._bullet = ""  # what the next line of a list item begins with
        self._columns: list[str] = []
        self._cells: list[str] | None = None  # of the row that is open

    def add(self, token: Any) -> None:
        """One token of a block."""
        kind = token.type
        if kind == "heading_open":
            self._heading = int(token.tag[1:])
        elif kind == "list_item_open":
            self._bullet = f"{token.info}{token.markup} " if token.info else "- "
        elif kind in ("fence", "code_block"):
            self._add_block(token.content)
            if not self._whole:
                _drop_announcement(self.sections[-1].lines)
        elif kind == "html_block":
            self._add_block(token.content)
        elif kind == "inline":
            self._add_inline(token)
        else:
            self._add_row(kind)

    def _add_inline(self, token: Any) -> None:
        text, is_link = _words(token.children or [], self._whole)
        if self._heading:
            self._open_section(" ".join(text.split()))
        elif self._cells is not None:
            self._cells.append(" ".join(text.split()))
        elif is_link and not self._whole:
            _drop_announcement(self.sections[-1].lines)
        elif text:
            if self._bullet:
                self.sections[-1].items.append(text)
            self.sections[-1].lines.append(self._bullet + text)
            self._bullet = ""

    def _open_section(self, heading: str) -> None:
        level, self._heading = self._heading, 0
        above = next((one for one in reversed(self.sections) if one.level < level), None)
        self.sections.append(Section(heading=heading, level=level, under=above.heading if above and above.level > 1 else ""))

    def _add_block(self, source: str) -> None:
        """Code or HTML, of which a block may hold nothing that can be seen."""
        text = tidy(source) if self._whole else ""
        self.sections[-1].lines += [text] if text else []

    def _add_row(self, kind: str) -> None:
        if kind == "thead_open":
            self._columns = []
        elif kind == "tr_open":
            self._cells = []
        elif kind == "thead_close":
            self._columns, self._cells = self._columns or [], None
        elif kind == "tr_close" and self._cells is not None:
            if self._columns:
                pairs = zip(self._columns, self._cells, strict=False)
                row = "; ".join(f"{column}: {cell}" if column else cell for column, cell in pairs if cell)
                self.sections[-1].lines += [row] if row else []
            else:
                self._columns = self._cells
            self._cells = None


def _drop_announcement(lines: list[str]) -> None:
    """Take away the last sentence if it ends with a colon and what it announced is left out."""
    if lines and lines[-1].endswith(":"):
        lines[-1] = _ANNOUNCEMENT.sub("", lines[-1]).strip()
        if _BARE_BULLET.fullmatch(lines[-1]):
            lines.pop()


def _words(children: list[Any], whole: bool) -> tuple[str, bool]:
    """(the text of an inline token, whether it is nothing but links)."""
    parts: list[str] = []
    outside: list[str] = []
    links = depth = 0
    for child in children:
        depth += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        links += child.type == "link_open"
        found = {"softbreak": " ", "hardbreak": "\n"}.get(child.type, "")
        if child.type in ("text", "code_inline") or (whole and child.type == "html_inline"):
            found = child.content
        parts.append(found)
        outside += [] if depth else [found]
    text = tidy(_ALERT.sub("", _ATTRIBUTES.sub("", "".join(parts))))
    return text, bool(links) and not _NUMBERING.sub("", "".join(outside))
