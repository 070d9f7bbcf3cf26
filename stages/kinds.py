"""The kinds of questions of the project's own benchmarks: what is asked of held-out documents."""

from pathlib import Path
from typing import Literal

import msgspec

from stages.errors import InputError

FILE = Path(__file__).parent / "benchmarks" / "kinds.yaml"


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of question (`stages/benchmarks/kinds.yaml`)."""

    name: str
    subject: str
    answer: str
    relation: str
    question: str
    benchmark: Literal["secforge-mcq", "secforge-detect-mitigate", "secforge-adversarial-cti", "secforge-relations"] = (
        "secforge-mcq"
    )
    per_subject: int = 1
    per_answer: int = 0  # 0: any number


def load_kinds(path: Path = FILE) -> list[Kind]:
    """The kinds by name. Raises InputError naming the file."""
    from ruamel.yaml import YAML, YAMLError

    try:
        table = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return [msgspec.convert({"name": name, **entry}, Kind) for name, entry in sorted(table.items())]
    except (OSError, YAMLError, msgspec.ValidationError, AttributeError, TypeError) as error:
        raise InputError(f"{path}: {error}", remedy="Mend the entry (stages.kinds.Kind).") from error
