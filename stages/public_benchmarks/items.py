"""The items of a benchmark file as its publisher serves it: TSV, CSV (with or without header), JSON, JSONL or Parquet.

A row that cannot be used is not dropped in silence: it becomes a Reject with a reason, and is counted.
"""

import csv
import re
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages.errors import InputError
from stages.public_benchmarks.declarations import PROMPTS, Declaration
from stages.public_benchmarks.injections import wanted_literal
from stages.public_benchmarks.techniques import fold
from stages.public_benchmarks.vectors import base_vector
from stages.public_benchmarks.weaknesses import strict_weakness
from stages.tables import Reject
from stages.validate.loose_tables import Record, read_records

_OPTION_MARK = re.compile(r"^\(?[A-Z]\)?[:.)]\s+")


class PublicItem(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a benchmark. `place` counts the rows of the file from 1, also over those that cannot be used."""

    id: str
    place: int
    question: str
    options: list[str]
    key: list[str]  # normalised as the extractor gives answers
    key_kind: str  # of extractor final-line: letter, cwe; else empty
    prompt: str
    system: str


class Items(NamedTuple):
    """What a benchmark file holds."""

    items: list[PublicItem]
    rejects: list[Reject]
    rows: int  # of this benchmark in the file, usable or not


def read_items(path: Path, benchmark: Declaration, *, keyless: bool = False) -> Items:
    """All items of `path`; `keyless`: also of a file without the column of keys, to ask but not to score.

    Raises InputError for a file that lacks a column or holds no item.
    """
    rows = [
        row for row in _records(path, benchmark) if all(str(row.get(column)) == value for column, value in benchmark.only.items())
    ]
    if not rows:
        raise InputError(f"{path} holds no items of {benchmark.name}.", remedy=f"Give the file of {benchmark.url}")
    if keyless and benchmark.columns.answer not in rows[0]:
        benchmark = msgspec.structs.replace(benchmark, columns=msgspec.structs.replace(benchmark.columns, answer=""))
    _require_columns(path, benchmark, rows)
    render = _template(benchmark.prompt) if benchmark.prompt else None
    items, rejects = [], []
    for place, row in enumerate(rows, 1):
        item = _item(row, place, benchmark, render)
        if isinstance(item, PublicItem):
            items.append(item)
        else:
            rejects.append(Reject(benchmark.name, str(place), item))
    if not items:
        raise InputError(
            f"{path}: none of the {len(rows):,} rows can be used ({rejects[0].reason}).", remedy="Check the columns."
        )
    return Items(items, rejects, len(rows))


def _records(path: Path, benchmark: Declaration) -> list[Record]:
    """The file's rows by column; a CSV whose first line has none of the declared names is read by the declared header."""
    if not benchmark.header or path.suffix.lower() != ".csv":
        return read_records(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy="Name a readable UTF-8 file.") from error
    names, body = (lines[0], lines[1:]) if lines and set(lines[0]) & set(benchmark.header) else (benchmark.header, lines)
    short = next((number for number, line in enumerate(body, 1) if len(line) != len(names)), 0)
    if short:
        raise InputError(f"{path}, row {short}: {len(body[short - 1])} columns.", allowed=f"{len(names)}: {', '.join(names)}")
    return [dict(zip(names, line, strict=True)) for line in body]


def _require_columns(path: Path, benchmark: Declaration, rows: Sequence[Record]) -> None:
    columns = benchmark.columns
    known = sorted({str(name) for row in rows for name in row})
    options = [] if "choices" in known and len(columns.options) > 1 else columns.options
    asked = [name for name in dict.fromkeys([columns.question, *options, columns.prompt]) if name]
    missing = [name for name in dict.fromkeys([*asked, columns.answer]) if name and name not in known]
    if columns.answer in known and missing == asked:
        return  # keys alone, as published beside responses: enough to score, not to ask
    if missing:
        raise InputError(
            f"{path} has no column {', '.join(missing)}.",
            allowed=", ".join(known),
            remedy=" ".join([f"Give the file of {benchmark.url}, with its columns as they are.", *benchmark.notes[:1]]),
        )


def _item(row: Record, place: int, benchmark: Declaration, render: Callable[..., str] | None) -> PublicItem | str:
    """The item of a row, or the reason why it is none."""
    columns = benchmark.columns
    question, options = _text(row.get(columns.question)), _options(row, benchmark)
    kind = _text(row.get("key_kind")) if benchmark.extractor == "final-line" else ""
    key = _key(row.get(columns.answer), benchmark, len(options)) if columns.answer else []
    if isinstance(key, str):
        return key
    if benchmark.extractor in ("letter", "letters") and not set(key) <= set(string.ascii_uppercase[: len(options) or 26]):
        return "key-is-no-option"
    own = _text(row.get(columns.prompt)) if columns.prompt else ""
    return PublicItem(
        id=_text(row.get(columns.id)) if columns.id and row.get(columns.id) is not None else str(place),
        place=place,
        question=question,
        options=options,
        key=key,
        key_kind=kind,
        prompt=own or (render(question=question, options=options).strip() if render and question else ""),
        system=_text(row.get(columns.system)) if columns.system else "",
    )


def _options(row: Record, benchmark: Declaration) -> list[str]:
    columns = benchmark.columns.options
    packed = row.get("choices") if len(columns) > 1 and "choices" in row else row.get(columns[0]) if len(columns) == 1 else None
    if isinstance(packed, dict):
        packed = [packed[name] for name in sorted(packed)]
    values = packed if isinstance(packed, list | tuple) else [row[name] for name in columns if row.get(name) is not None]
    texts = [_text(value) for value in values]
    marked = texts and all(_OPTION_MARK.match(text) for text in texts)
    return [_OPTION_MARK.sub("", text) for text in texts] if marked else texts


def _key(value: Any, benchmark: Declaration, options: int) -> list[str] | str:
    """The key in the form that the extractor gives, or why there is none."""
    if isinstance(value, list | tuple):
        return [str(one) for one in value] or "no-key"
    text = _text(value)
    if not text or (benchmark.extractor == "refusal"):
        return "no-key"
    if benchmark.extractor == "literal":
        literal = wanted_literal(text)
        return [literal] if literal else "needs-a-judge"
    keys = KEYS[benchmark.extractor](text)
    return keys or "unreadable-key"


def _letter_key(text: str) -> list[str]:
    """`b` or, as MMLU counts options from 0, `1`."""
    if text.isdigit() and int(text) < 26:
        return [string.ascii_uppercase[int(text)]]
    return [text.upper()] if len(text) == 1 and text.upper() in string.ascii_uppercase else []


def _letters_key(text: str) -> list[str]:
    return sorted(set(re.findall("[A-Z]", text.upper())))


def _techniques_key(text: str) -> list[str]:
    return sorted({fold(one) for one in re.split(r"[,;\s]+", text) if re.fullmatch(r"[Tt]\d{4}(\.\d{3})?", one)})


KEYS: dict[str, Callable[[str], list[str]]] = {
    "letter": _letter_key,
    "letters": _letters_key,
    "cwe": strict_weakness,
    "vector": lambda text: [vector] if (vector := base_vector(text)) else [],
    "techniques": _techniques_key,
    "actor": lambda text: [text],
    "final-line": lambda text: [text],
}


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _template(name: str) -> Callable[..., str]:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((PROMPTS / name).read_text(encoding="utf-8")).render
