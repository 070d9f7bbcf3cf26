"""Rows and benchmark items of files from elsewhere; fields are guessed or named."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.tables import file_sha256
from stages.validate.benchmark_index import Item, answer_text, identifiers_in
from stages.validate.loose_tables import Record, packed, read_records, require_fields, strings
from stages.validate.ngrams import words
from stages.validate.overlap import Document
from stages.validate.params import DecontaminationParams

# The first of these that a record fills is its question; what may only repeat instructions comes last, after the options.
QUESTION_FIELDS = (
    *("question", "description", "problem", "stem", "statement", "scenario", "query", "user_input", "input", "text"),
    *("mutated_prompt", "messages", "conversations", "conversation", "goal", "behavior"),
)
PROMPT_FIELDS = ("instruction", "prompt", "test_case_prompt", "content")
ID_FIELDS = ("id", "row_id", "item_id", "question_id", "qid", "uid", "index")
OPTION_FIELDS = ("options", "choices", "answers")  # a list, or texts by letter
KEY_FIELDS = ("gt", "answer", "solution", "correct", "correct_answer", "label", "key", "target")
SHORT = 5  # words; a question with fewer is told from others by its options, or by further fields
REPEATED = 5  # records with one text in a field: it is an instruction, no question
PIECE, OVERLAP = 500_000, 20_000  # characters; a longer text is searched in parts, which bounds the memory
_LETTERS = "ABCDEFGHIJ"
_USERS = ("user", "human", "prompter")
_LABEL = re.compile(r"(?:^|\s)\(?[A-J][).:]\s+")  # of an option within a text
_END = re.compile(r"[.!?:]\s+|\n")
_OPTION_COLUMN = re.compile(r"(?:option|choice|answer)?[ _]?([a-j0-9])")
_LETTERED = re.compile(r"^\(?[A-J][).:]\s*")


def read_items(path: Path, fields: Sequence[str] = (), name: str = "") -> list[Item]:
    """Items of a benchmark file; CVE ids are taken from every column, so a bare URL column counts.

    Without `fields` the question of each record is guessed. Raises InputError if no item has a question or an identifier.
    """
    records = [_unwrapped(record) for record in read_records(path)]
    if not records:
        raise InputError(f"{path} holds no items: the benchmark was NOT checked.", remedy="Name a file with items.")
    require_fields(path, records, fields)
    benchmark = name or path.name
    texts = ["\n".join(_texts(record, fields)) for record in records] if fields else guessed_questions(records)
    items = [
        Item(
            id=place,
            benchmark=benchmark,
            subject=f"{benchmark}\x00{place}",
            text=text,
            identifiers=frozenset(identifiers_in("\n".join(strings(record)))),
            answer=_answer(record),
        )
        for place, record, text in zip(ids_of(records), records, texts, strict=True)
    ]
    if not any(item.text.strip() or item.identifiers for item in items):
        raise InputError(
            f"{path}: cannot tell which field is the question.",
            allowed=", ".join(sorted({str(field) for record in records for field in record})),
            remedy="Name it with --benchmark-field.",
        )
    return items


def guessed_questions(records: Sequence[Record]) -> list[str]:
    """The question of each record, empty where none can be told.

    One that is short, or the same in many records, is joined by further fields and by its options.
    """
    plain = [{str(name).casefold(): value for name, value in record.items()} for record in records]
    order = _question_fields(plain)
    filled = [{field: text for field in order if (text := asked(one.get(field)))} for one in plain]
    seen = Counter((field, text) for one in filled for field, text in one.items())
    return [_question(one, fields, seen) for one, fields in zip(plain, filled, strict=True)]


def public_items(params: DecontaminationParams) -> list[Item]:
    """Items of every file in `params.benchmarks`. Raises InputError that names the file."""
    return [item for name, path in sorted(params.benchmarks.items()) for item in read_items(Path(path), name=name)]


def public_benchmarks(params: DecontaminationParams) -> dict[str, str]:
    """Name -> SHA-256 of the file, since no version of the data names it."""
    return {name: file_sha256(path) for name, path in sorted(params.benchmarks.items())}


def to_documents(records: Sequence[Record], fields: Sequence[str] = ()) -> list[Document]:
    """Rows as documents: the named fields, or every field that holds text, each its own level; ids may name identifiers.

    Only rows of this project tell their subject document; elsewhere each row is a document of its own.
    """
    documents = []
    for name, record in zip(ids_of(records), records, strict=True):
        chosen = fields or [field for field in record if field not in ID_FIELDS]
        texts = {str(field): [part for text in strings(record.get(field)) for part in _parts(text)] for field in chosen}
        if together := _short_with_options(record):
            texts["question and options"] = [together]
        subject = str(record["subject"]) if "entity_ids" in record and record.get("subject") else ""
        named = "\n".join(_texts(record, ID_FIELDS))
        documents.append(Document(id=name, subject=subject, texts=texts, named=named))
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
    if any(str(name).casefold() in (*QUESTION_FIELDS, *PROMPT_FIELDS) for name in record):
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
        if isinstance(value, dict) and isinstance(value.get("text"), list):
            value = value["text"]
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


def asked(value: Any) -> str:
    """The text of one field: what the user said where it holds messages, else every string in it."""
    if isinstance(value, str):
        value = packed(value) or value.strip()
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        users = [one for one in value if str(one.get("role", one.get("from", ""))).casefold() in _USERS]
        value = [one.get("content", one.get("value")) for one in users] or value
    return "\n".join(strings(value)).strip()


def _question_fields(plain: Sequence[Mapping[str, Any]]) -> list[str]:
    """Fields that may hold the question, likeliest first: known names, else names that contain one (`question_text`)."""
    known = (*QUESTION_FIELDS, *PROMPT_FIELDS)
    names = {name for one in plain for name in one}
    like = [name for field in known for name in sorted(names) if field in name]
    return [field for field in known if field in names] or list(dict.fromkeys(like))


def _question(plain: Mapping[str, Any], filled: Mapping[str, str], seen: Mapping[tuple[str, str], int]) -> str:
    """Fields in order until one tells the record from others; prompts come after the options. In the record's own order."""
    prompts = [field for field in filled if field in PROMPT_FIELDS]
    chosen = _until_told([field for field in filled if field not in PROMPT_FIELDS] or prompts, filled, seen)
    enough = any(_tells(filled[field], seen[field, filled[field]]) for field in chosen)
    options = "" if enough else "\n".join(dict.fromkeys(_options(plain).values()))
    if not enough and not _tells(options):
        chosen += [field for field in prompts if field not in chosen]
    texts = [filled[field] for field in plain if field in chosen]
    whole = [text for text in texts if not any(text in other and text != other for other in texts)]
    return "\n".join([*dict.fromkeys(whole), options]).strip()


def _until_told(fields: Sequence[str], filled: Mapping[str, str], seen: Mapping[tuple[str, str], int]) -> list[str]:
    """The first fields, up to one that tells the record from others."""
    last = next(
        (place for place, field in enumerate(fields, 1) if _tells(filled[field], seen[field, filled[field]])), len(fields)
    )
    return list(fields[:last])


def _tells(text: str, records: int = 1) -> bool:
    return len(words(text)) >= SHORT and records < REPEATED


def _short_with_options(record: Record) -> str:
    """Question and options of a row in one text, as `read_items` has a short item."""
    plain = {str(name).casefold(): value for name, value in record.items()}
    question = next((text for field in QUESTION_FIELDS if (text := asked(plain.get(field)))), "")
    options = _options(plain)
    return "\n".join([question, *dict.fromkeys(options.values())]) if options and question and not _tells(question) else ""


def _texts(record: Record, fields: Sequence[str]) -> list[str]:
    return [text for field in fields for text in strings(record.get(field))]


def _parts(text: str) -> Iterator[str]:
    """The text, in overlapping parts if it is very long, and a short question in it together with its options."""
    for start in range(0, max(1, len(text) - OVERLAP), PIECE - OVERLAP):
        yield text[start : start + PIECE]
    if "A)" in text or "A." in text or "A:" in text:
        before, *options = _LABEL.split(text)
        question = _END.split(before.strip())[-1]
        if len(options) > 1 and 0 < len(words(question)) < SHORT + 3:
            yield "\n".join([question, *options])
