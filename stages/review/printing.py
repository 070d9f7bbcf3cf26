"""Text for a terminal. Rows, evidence and what models write is hostile: no control character of it is ever printed as such."""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

import msgspec

WIDTH = 110  # columns, where the terminal is wider


def visible(text: str) -> str:
    """`text` with everything that moves a cursor, changes a colour or turns a line around written out as an escape."""
    return "".join(one if one.isprintable() or one in "\n\t" else _escaped(one) for one in text)


def tell(text: str = "", *, file: TextIO | None = None) -> None:
    """Print one made-visible text; what the terminal's encoding lacks is written as an escape too."""
    out = file or sys.stdout
    encoding = out.encoding or "utf-8"
    print(visible(text).encode(encoding, "backslashreplace").decode(encoding), file=out, flush=True)


def tell_json(value: Any) -> None:
    """Print JSON in plain ASCII, which no terminal can misread."""
    print(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=True), flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, left aligned; numbers are the caller's to format."""
    safe = [[visible(cell).replace("\n", " ") for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in safe) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in safe)


def wrapped(text: str, indent: str = "  ") -> str:
    """Paragraphs within the terminal's width."""
    width = max(40, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)) - len(indent)
    lines = [part for line in visible(text).splitlines() for part in textwrap.wrap(line, width) or [""]]
    return "\n".join(f"{indent}{line}" for line in lines)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
