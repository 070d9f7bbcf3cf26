"""Typed sections of `params.yaml`. Unknown keys are errors, so a typing mistake never runs a build.

Each stage owns the type of its section (`stages/<stage>/params.py`); this module only loads it.
The file is read as YAML 1.2 with the parser that DVC itself uses, so `1e-4` is a number in both.
"""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stages.errors import ParamsError

PARAMS_FILE = Path("params.yaml")
SECTIONS = (
    "ingest", "graph", "tasks", "benchmarks", "label", "formats", "llm", "encoder", "ground", "enrich", "synthesize", "validate",
    "base", "finetune", "quantize", "evaluate", "report", "register", "runtime",
)  # fmt: skip

Section = TypeVar("Section", bound=msgspec.Struct)


class Params(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every section: immutable, every key known."""


def load_params(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """All sections as plain data. Raises ParamsError for a missing, unreadable or foreign file."""
    from ruamel.yaml import YAML, YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist.", remedy="Run from the root of the repository.") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {error}", remedy="Mend the line, or `git checkout params.yaml`.") from error
    if not isinstance(document, dict):
        raise ParamsError(f"{path} holds no sections.", allowed=", ".join(SECTIONS))
    unknown = sorted(set(document) - set(SECTIONS))
    if unknown:
        raise ParamsError(
            f"{path} has unknown section(s): {', '.join(unknown)}.",
            allowed=", ".join(SECTIONS),
            remedy="Remove or rename the section.",
        )
    return document


def load_section(name: str, section_type: type[Section], path: Path = PARAMS_FILE) -> Section:
    """Section `name` of `path` as `section_type`; keys left out take the type's defaults."""
    document = load_params(path).get(name) or {}
    try:
        return msgspec.convert(document, section_type)
    except msgspec.ValidationError as error:
        raise ParamsError(
            f"{path}, section `{name}`: {error}.",
            allowed=f"{name}: " + ", ".join(field.encode_name for field in msgspec.structs.fields(section_type)),
            remedy=f"Mend the key in {path} (its type is {section_type.__module__}.{section_type.__name__}).",
        ) from error
