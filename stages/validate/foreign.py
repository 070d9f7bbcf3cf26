"""Rows and benchmark items of files from elsewhere; fields are guessed or named."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.tables import file_sha256
from stages.validate.benchmark_index import Item, answer_text, identifiers_in
from stages.validate.loose_tables import Record, read_records, require_fields, strings
from stages.validate.overlap import Document
from stages.validate.params import DecontaminationParams

# The first of these that a benchmark has is its question; a bare `prompt` repeats instructions, so it comes late.
QUESTION_FIELDS = ("question", "description", "problem", "query", "input", "text", "instruction", "prompt", "content")
ID_FIELDS = ("id", "row_id", "item_id", "question_id", "qid", "uid", "index")
OPTION_FIELDS = ("options", "choices", "answers")  # a list, or texts by letter
KEY_FIELDS = ("gt", "answer", "solution", "correct", "correct_answer", "label", "key", "target")
_LETTERS = "ABCDEFGHIJ"
_OPTION_COLUMN = re.compile(r"(?:option|choice|answer)?[ _]?([a-j0-9])")
_LETTERED = re.compile(r"^\(?[A-J][).:]\s*")


def read_items(path: Path, fields: Sequence[str] = (), name: str = "") -> list[Item]:
    """Items of a benchmark file; CVE ids are taken from every column, so a bare URL column counts."""
    records = [_unwrapped(record) for record in read_records(path)]
    if not records:
        raise InputError(f"{path} holds no items: the benchmark was NOT checked.", remedy="Name a file with items.")
    require_fields(path, records, fields)
    chosen = list(fields) or [_guess(path, records)]
    benchmark = name or path.name
    items = []
    for place, record in zip(ids_of(records), records, strict=True):
        text = "\n".join(one for field in chosen for one in strings(record.get(field)))
        named = frozenset(identifiers_in("\n".join(strings(record))))
        items.append(
            Item(
                id=place,
                benchmark=benchmark,
                subject=f"{benchmark}\x00{place}",
                text=text,
                identifiers=named,
                answer=_answer(record),
            )
        )
    return items


def public_items(params: DecontaminationParams) -> list[Item]:
    """Items of every file in `params.benchmarks`. Raises InputError that names the file."""
    return [item for name, path in sorted(params.benchmarks.items()) for item in read_items(Path(path), name=name)]


def public_benchmarks(params: DecontaminationParams) -> dict[str, str]:
    """Name -> SHA-256 of the file, since no version of the data names it."""
    return {name: file_sha256(path) for name, path in sorted(params.benchmarks.items())}


def to_documents(records: Sequence[Record], fields: Sequence[str] = ()) -> list[Document]:
    """Rows as documents: the named fields, or every field that holds text, each its own level.

    Only rows of this project tell their subject document; elsewhere each row is a document of its own.
    """
    documents = []
    for name, record in zip(ids_of(records), records, strict=True):
        chosen = fields or [field for field in record if field not in ID_FIELDS]
        texts = {str(field): list(strings(record.get(field))) for field in chosen}
        subject = str(record["subject"]) if "entity_ids" in record and record.get("subject") else ""
        documents.append(Document(id=name, subject=subject, texts=texts))
    return documents


def ids_of(records: Sequence[Record]) -> list[str]:
    """The records' own ids where each has one and all differ, else places in the file, counted from 1."""
    for field in ID_FIELDS:
        values = [next((value for name, value in record.items() if str(name).casefold() == field), None) for record in records]
        if all(isinstance(value, str | int) and value != "" for value in values) and len(set(map(str, values))) == len(records):
            return [str(value) for value in values]
    return [f"#{number}" for number in range(1, len(records) + 1)]


def _unwrapped(record: Record) -> Record:
    """The record, with the fields of an inner one beside its own where it has no question itself."""
    if any(str(name).casefold() in QUESTION_FIELDS for name in record):
        return record
    inner = {name: value for one in record.values() if isinstance(one, dict) for name, value in one.items()}
    return inner | record


def _answer(record: Mapping[Any, Any]) -> str:
    """The text of the right answer, by its letter, its number or itself."""
    plain = {str(name).casefold(): value for name, value in record.items() if name is not None}
    key = next((plain[field] for field in KEY_FIELDS if isinstance(plain.get(field), str | int)), "")
    return answer_text(_options(plain), str(key))


def _options(plain: Mapping[str, Any]) -> dict[str, str]:
    """Option texts by letter and by number from 0."""
    texts: dict[str, str] = {}
    for field in OPTION_FIELDS:
        value = plain.get(field)
        if isinstance(value, dict):
            texts |= {str(letter).upper(): str(text) for letter, text in value.items()}
        elif isinstance(value, list):
            texts |= dict(zip(_LETTERS, map(str, value), strict=False))
            texts |= {str(number): str(text) for number, text in enumerate(value)}
    for name, value in plain.items():
        column = _OPTION_COLUMN.fullmatch(name)
        if column and isinstance(value, str):
            texts[column[1].upper()] = value
    return {letter: _LETTERED.sub("", text) for letter, text in texts.items()}


def _guess(path: Path, records: Sequence[Record]) -> str:
    """The field that holds the question, whatever its case."""
    known = {name.casefold(): name for record in reversed(records) for name in record if isinstance(name, str)}
    for field in QUESTION_FIELDS:
        if field in known and any(isinstance(record.get(known[field]), str) for record in records):
            return known[field]
    raise InputError(
        f"{path}: cannot tell which field is the question.",
        allowed=", ".join(sorted(known.values())),
        remedy="Name it with --benchmark-field.",
    )
