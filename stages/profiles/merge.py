"""A profile merged into params.yaml: comments stay, every changed key is reported, nothing invalid is written."""

from collections.abc import Iterator, Mapping, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from stages.config import PARAMS_FILE, SECTIONS, load_params
from stages.errors import ParamsError
from stages.profiles.sections import section_type
from stages.tables import write_text

FOLDER = Path(__file__).parent


class Change(msgspec.Struct, frozen=True):
    """One key that a profile sets; `old` is None if the file left it to the default."""

    key: str
    old: Any
    new: Any


def profile_names() -> list[str]:
    """Profiles that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_profile(name: str) -> dict[str, Any]:
    """Sections of a profile. Raises ParamsError with the list for an unknown name."""
    if name not in profile_names():
        raise ParamsError(
            f"there is no profile `{name}`.", allowed=", ".join(profile_names()), remedy="make profile PROFILE=<name>"
        )
    return load_params(FOLDER / f"{name}.yaml")


def apply_profile(name: str, path: Path = PARAMS_FILE) -> list[Change]:
    """Merge profile `name` into the file at `path` and return what changed; nothing is written if a section is invalid."""
    check_sections(merged(load_params(path), load_profile(name)), f"{path} with profile `{name}`")
    round_trip = _round_trip()
    profile = round_trip.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))  # keeps the style of its lists
    document = round_trip.load(path.read_text(encoding="utf-8"))
    changes = list(_merge(document, profile, ""))
    if changes:
        text = StringIO()
        round_trip.dump(document, text)
        write_text(path, text.getvalue())
    return changes


def merged(params: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """`params` with the values of `profile` over them: mappings merge, null removes a key, all else is replaced (RFC 7396)."""
    result = dict(params)
    for key, value in profile.items():
        inner = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(inner or {}, Mapping):
            result[key] = merged(inner or {}, value)
        else:
            result[key] = value
    return result


def check_sections(params: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every section as its type, by name. Raises ParamsError that names section and key."""
    checked = {}
    for name in SECTIONS:
        try:
            checked[name] = msgspec.convert(params.get(name) or {}, section_type(name))
        except msgspec.ValidationError as error:
            raise ParamsError(
                f"{where}, section `{name}`: {error}.", remedy=f"Mend the key (types: stages/{name}/params.py)."
            ) from error
    return checked


def _merge(document: Any, profile: Mapping[str, Any], prefix: str) -> Iterator[Change]:
    for key, value in profile.items():
        old = document.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            yield from _merge(old, value, f"{prefix}{key}.")
        elif value is None and key in document:
            del document[key]
            yield Change(f"{prefix}{key}", old, None)
        elif value is not None and old != value:
            _put(document, key, _without_nulls(value))
            yield Change(f"{prefix}{key}", old, value)


def _without_nulls(value: Any) -> Any:
    """`value` itself, whose style the writer keeps, less the keys that a profile only takes away."""
    if isinstance(value, MutableMapping):
        for key in [key for key, inner in value.items() if inner is None]:
            del value[key]
        for inner in value.values():
            _without_nulls(inner)
    return value


def _put(document: Any, key: str, value: Any) -> None:
    """Set `key`; a new one goes before the last, to which the parser ties the blank line that follows the section."""
    if key in document:
        document[key] = value
    else:
        document.insert(max(len(document) - 1, 0), key, value)


def _round_trip() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # never fold a line that nobody changed
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
