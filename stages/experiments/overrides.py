"""Settings in the grammar of `dvc exp run -S` (Hydra's, https://hydra.cc/docs/advanced/override_grammar/basic/)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from stages.errors import ParamsError

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")


def overrides(settings: Mapping[str, Any]) -> list[str]:
    """One `++key=value` per setting: `++` also sets a key that params.yaml leaves to its default."""
    return [f"++{_path(key)}={rendered(value)}" for key, value in settings.items()]


def rendered(value: Any) -> str:
    """`value` so that Hydra reads it back as the same plain data: lists and mappings included, texts quoted."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, str):
        if "${" in value:
            raise ParamsError(f"the setting {value!r} holds `${{`, which DVC would take for a reference.", remedy="Write it out.")
        return '"' + re.sub(r'(\\*)"', r'\1\1\\"', re.sub(r"(\\+)$", r"\1\1", value)) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(rendered, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(key)}:{rendered(inner)}" for key, inner in value.items()) + "}"
    raise ParamsError(f"the setting {value!r} is no number, text, list or mapping.")


def _key(key: Any) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ParamsError(f"the key {key!r} of a setting.", allowed="letters, digits, - and _")
    return key


def _path(key: str) -> str:
    if not _PATH.fullmatch(key):
        raise ParamsError(f"the setting `{key}`.", allowed="<section>.<key>, of letters, digits, - and _")
    return key
