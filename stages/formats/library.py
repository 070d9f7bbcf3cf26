"""The library: one YAML file per task, `library/<task>.yaml`, with the keys of `Format` minus `sha256`."""

import datetime
import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.formats.schema import Format
from stages.tables import write_text

LIBRARY = Path(__file__).parent / "library"
MAX_BYTES = 65_536  # a format is a page; anything larger is not one
STATUSES = ("approved", "draft")
TASK_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
FIELDS = [field for field in msgspec.structs.fields(Format) if field.name != "sha256"]
OPTIONAL = ("drafted_with", "prompt_sha256", "tried_on", "note")  # left out of the file while empty
CONTENT = ("task", "introduction", "steps", "instructions", "answer_line", "search", "document", "rewrite")
_FormatFile = msgspec.defstruct(
    "_FormatFile",
    [(field.name, field.type, msgspec.field(default=field.default, default_factory=field.default_factory)) for field in FIELDS],
    forbid_unknown_fields=True,
    kw_only=True,
)
_NAMED = re.compile(r"\$\.(\w+)|field `(\w+)`")
_PLAIN = re.compile(r"[A-Za-z](?:[^\W_]|[ ,.;()'/`%+=&?!-]|:(?=\S))*(?:[^\W_]|[.)'`?!])", re.ASCII)
_RESERVED = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")  # words that some YAML reader takes for a value


def load_library(folder: Path = LIBRARY) -> dict[str, Format]:
    """Every format of `folder` by task. Raises InputError that names file and line."""
    return {form.task: form for form in map(read_format, sorted(folder.glob("*.yaml")))}


def read_format(path: Path) -> Format:
    """One library file. Unknown, missing and mistyped keys are errors; the file is named after its task."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", remedy="Check the file's name and rights.") from error
    try:
        return parse_format(content.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        raise _wrong(path, content[: error.start].count(b"\n") + 1, "not UTF-8") from error


def parse_format(text: str, path: Path) -> Format:
    """The format that `text` holds; `path` is where it stands or will stand, and is only named in messages."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InputError(f"{path} has over {MAX_BYTES:,} bytes.", allowed=f"at most {MAX_BYTES:,}", remedy="Shorten the format.")
    values, lines = _parse(path, text)
    try:
        parsed = msgspec.convert(values, _FormatFile)
    except msgspec.ValidationError as error:
        named = _NAMED.search(str(error))
        key = next((name for name in named.groups() if name), "") if named else ""
        raise _wrong(path, lines.get(key, 1), str(error)) from error
    form = Format(**msgspec.structs.asdict(parsed), sha256=_digest(text))
    for key, problem in _problems(form, path):
        raise _wrong(path, lines.get(key, 1), problem)
    return form


def format_text(form: Format) -> str:
    """`form` as the text of its library file: the same format gives the same text, and one sentence is one line."""
    lines = []
    for field in FIELDS:
        value = getattr(form, field.name)
        if isinstance(value, list) and value:
            lines += [f"{field.name}:", *(f"  - {_scalar(item)}" for item in value)]
        elif value or field.name not in OPTIONAL:
            lines.append(f"{field.name}: {_scalar(value)}")
    return "\n".join(lines) + "\n"


def write_format(form: Format, folder: Path = LIBRARY) -> Path:
    """Write the library file of `form` atomically. Raises InputError for a name or a value that could not be read again."""
    if not TASK_NAME.fullmatch(form.task):
        raise InputError(
            f"A format is named after its task, and `{form.task[:80]}` is no task name.",
            allowed="small letters and digits, joined by single hyphens",
            remedy="Give the format the task's name as `python -m stages.formats list` shows it.",
        )
    path = folder / f"{form.task}.yaml"
    text = format_text(form)
    parse_format(text, path)
    write_text(path, text)
    return path


def same_content(one: Format, other: Format) -> bool:
    """Whether two formats tell a writer the same, whoever signed them and whenever."""
    return all(getattr(one, key) == getattr(other, key) for key in CONTENT)


def _problems(form: Format, path: Path) -> list[tuple[str, str]]:
    """Keys whose values are of the right type and yet no format's, with what is wrong."""
    found = []
    if form.task != path.stem:
        found.append(("task", f"the task is `{form.task}`, the file is named `{path.stem}`"))
    if form.status not in STATUSES:
        found.append(("status", f"the status is `{form.status}`, not one of {', '.join(STATUSES)}"))
    if not 0 <= form.version < 1_000_000:
        found.append(("version", f"the version is {form.version}; versions count from 1, 0 is a draft that was never filed"))
    found += [
        (key, "a character that is half of a pair") for key in msgspec.structs.asdict(form) if _is_broken(getattr(form, key))
    ]
    for key in ("search", "document"):
        if getattr(form, key) and not form.rewrite:
            found.append((key, f"`{key}` is true and `rewrite` is false: a task whose answers stay as they are needs no facts"))
    return found


def _is_broken(value: Any) -> bool:
    """Whether a text cannot be written as UTF-8: YAML lets one name half of a surrogate pair."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return True
    return False


def _parse(path: Path, text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The text's values, and the line on which each key stands. YAML 1.2, plain data only."""
    from ruamel.yaml import YAML, YAMLError

    try:
        yaml = YAML(typ="safe", pure=True)
        node = yaml.compose(text)
        values = yaml.constructor.construct_document(node) if node else None  # read once: a library has many files
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _wrong(path, mark.line + 1 if mark else 1, f"not valid YAML: {getattr(error, 'problem', None) or error}") from error
    except (ValueError, RecursionError) as error:  # a date or number that is none; brackets thousands deep
        raise _wrong(path, 1, f"not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise _wrong(path, 1, "no keys")
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    dated = {str(key): value.isoformat() if isinstance(value, datetime.date) else value for key, value in values.items()}
    return dated, lines


def _scalar(value: Any) -> str:
    """One value as YAML: bare where every reader takes it for the same text, else in double quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else {"\n": "\\n", "\t": "\\t"}.get(character, f"\\U{ord(character):08x}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _wrong(path: Path, line: int, problem: str) -> InputError:
    return InputError(
        f"{path}, line {line}: {problem}.",
        allowed="the keys " + ", ".join(field.name for field in FIELDS),
        remedy="Mend the line; stages/formats/schema.py says what each key means.",
    )
