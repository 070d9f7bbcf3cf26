"""The type of every section, found by the project's naming: `stages/<section>/params.py`, class `<Section>Params`."""

import importlib
import inspect

from stages.config import SECTIONS, Params
from stages.errors import ParamsError


def section_type(section: str) -> type[Params]:
    """Type of `section`. Raises ParamsError if its module holds no class of that name."""
    module = importlib.import_module("stages.runtime" if section == "runtime" else f"stages.{section}.params")
    wanted = f"{section}params"
    for name, member in inspect.getmembers(module, inspect.isclass):
        if name.lower() == wanted and issubclass(member, Params):
            return member
    raise ParamsError(f"{module.__name__} holds no class `{section.capitalize()}Params`.", allowed=", ".join(SECTIONS))
