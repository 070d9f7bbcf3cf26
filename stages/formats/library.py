"""The library: one YAML file per task, `library/<task>.yaml`, with the keys of `Format` minus `sha256`."""

import datetime
import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.formats.schema import Format

LIBRARY = Path(__file__).parent / "library"
MAX_BYTES = 65_536  # a format is a page; anything larger is not one
STATUSES = ("approved", "draft")
FIELDS = [field for field in msgspec.structs.fields(Format) if field.name != "sha256"]
_FormatFile = msgspec.defstruct("_FormatFile", [(field.name, field.type) for field in FIELDS], forbid_unknown_fields=True)
_NAMED = re.compile(r"\$\.(\w+)|field `(\w+)`")


def load_library(folder: Path = LIBRARY) -> dict[str, Format]:
    """Every format of `folder` by task. Raises InputError that names file and line."""
    return {form.task: form for form in map(read_format, sorted(folder.glob("*.yaml")))}


def read_format(path: Path) -> Format:
    """One library file. Unknown, missing and mistyped keys are errors; the file is named after its task."""
    content = path.read_bytes()
    if len(content) > MAX_BYTES:
        raise InputError(f"{path} has {len(content):,} bytes.", allowed=f"at most {MAX_BYTES:,}", remedy="Shorten the format.")
    values, lines = _parse(path, content)
    try:
        parsed = msgspec.convert(values, _FormatFile)
    except msgspec.ValidationError as error:
        named = _NAMED.search(str(error))
        key = next((name for name in named.groups() if name), "") if named else ""
        raise _wrong(path, lines.get(key, 1), str(error)) from error
    if parsed.task != path.stem:
        raise _wrong(path, lines["task"], f"the task is `{parsed.task}`, the file is named `{path.stem}`")
    if parsed.status not in STATUSES:
        raise _wrong(path, lines["status"], f"the status is `{parsed.status}`, not one of {', '.join(STATUSES)}")
    return Format(**msgspec.structs.asdict(parsed), sha256=hashlib.sha256(content).hexdigest())


def _parse(path: Path, content: bytes) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's values, and the line on which each key stands. YAML 1.2, plain data only."""
    from ruamel.yaml import YAML, YAMLError

    try:
        text = content.decode("utf-8")
        node = YAML(typ="safe", pure=True).compose(text)
        values = YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError as error:
        raise _wrong(path, content[: error.start].count(b"\n") + 1, "not UTF-8") from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _wrong(path, mark.line + 1 if mark else 1, f"not valid YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(values, dict):
        raise _wrong(path, 1, "no keys")
    lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
    dated = {key: value.isoformat() if isinstance(value, datetime.date) else value for key, value in values.items()}
    return dated, lines


def _wrong(path: Path, line: int, problem: str) -> InputError:
    return InputError(
        f"{path}, line {line}: {problem}.",
        allowed="the keys " + ", ".join(field.name for field in FIELDS),
        remedy="Mend the line; stages/formats/schema.py says what each key means.",
    )
