"""Texts of the REST interface, which makes Markdown of a kind out of the catalogue's XHTML, as prose and as code.

Blocks are set apart by blank lines, lists by `  - `, tables by `|`; what was indented stands between fences. A single
line break outside of those is where a line was wrapped.
"""

import re
from textwrap import dedent

from stages.ingest.text import clean

_FENCE = "```"
_BULLET = re.compile(r"[ \t]*- +")
_OWN_LINE = re.compile(r"[ \t]*(?:- |\||\d{1,2}\. )")
_BOLD_LABEL = re.compile(r"\*\*(\S[^*\n]+:) \*\*")
_RULE = re.compile(r"[ \t|:-]+")
_BOLD = re.compile(r"\*\*(\S(?:[^*\n]*\S)?)\*\*|\*\*[ \t]*$", re.MULTILINE)
_OPEN_COMMENT = re.compile(r"(?m)^([ \t]*(?:#|//).*[^*/\s])\*[ \t]*$")  # an emphasis that lost its beginning


def text(source: str) -> str:
    """Prose, one line per block, item or row."""
    source = _BOLD_LABEL.sub(r"\1", source)
    if "\n" not in source:
        return clean(source, tags=False)
    return clean("\n".join(_lines(source)), tags=False)


def _lines(source: str) -> list[str]:
    lines: list[str] = []
    fenced, wrapped = False, False
    for line in source.split("\n"):
        if line.strip() == _FENCE:
            fenced, wrapped = not fenced, False
        elif not line.strip():
            wrapped = False
        elif wrapped and not fenced and not _OWN_LINE.match(line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(_unmarked(line))
            wrapped = not fenced and not line.lstrip().startswith("|")
    return lines


def _unmarked(line: str) -> str:
    """A row without its bars (of the rule below a table's head nothing is left), an item without its dash."""
    if line.lstrip().startswith("|"):
        return "" if _RULE.fullmatch(line) else line.replace("|", " ").strip()
    return _BULLET.sub("", line, count=1) if _BULLET.match(line) else line.strip()


def code(source: str) -> str:
    """Code without fences, common indent and marks of emphasis."""
    lines = [line for line in source.expandtabs(4).split("\n") if line.strip() and line.strip() != _FENCE]
    plain = _OPEN_COMMENT.sub(r"\1", _BOLD.sub(lambda match: match[1] or "", dedent("\n".join(lines))))
    return "\n".join(line.rstrip() for line in plain.split("\n") if line.strip())
