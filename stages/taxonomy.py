"""Ten categories of cybersecurity knowledge: what task types declare, and what a row's subject adds by rule."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from stages.errors import InputError

FILE = Path(__file__).with_suffix(".yaml")


class Category(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One category, and what it corresponds to in established frameworks by their own names."""

    name: str
    definition: str  # one sentence; what a model that labels rows is told
    nice: list[str]  # work roles of the NICE Framework
    csf: list[str]  # categories of the NIST Cybersecurity Framework 2.0
    cissp: list[str]  # domains of the CISSP outline
    types: list[str] = []  # entity types whose rows belong here
    domains: list[str] = []  # ATT&CK domains whose rows belong here


def load_taxonomy(path: Path = FILE) -> list[Category]:
    """The categories by name. Raises InputError naming the file."""
    from ruamel.yaml import YAML, YAMLError

    try:
        table = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return [msgspec.convert({"name": name, **entry}, Category) for name, entry in sorted(table.items())]
    except (OSError, YAMLError, msgspec.ValidationError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: {error}", remedy="Mend the entry (stages.taxonomy.Category).") from error


def labels_of(declared: Iterable[str], type: str, domain: str, taxonomy: Iterable[Category]) -> list[str]:
    """The categories of a row, sorted: those its task declares and those that its subject's type and domain add."""
    added = {category.name for category in taxonomy if type in category.types or (domain and domain in category.domains)}
    return sorted(added.union(declared))
