"""Names and ids out of a question: what is left has to be found by what it says."""

import re
from collections.abc import Iterable

from stages.ingest.schema import Entity

_IDS = re.compile(
    r"(?<!\w)(?:CVE-\d{4}-\d{4,}|CWE-\d+|CAPEC-\d+|D3-[A-Z]+|T\d{4}(?:\.\d{3})?|TA\d{4}|[GSMC]\d{4}|DC\d{4}|DET\d{4}|AN\d{4}"
    r"|[A-Z]{2}-\d{1,2}(?:\(\d{1,2}\))*)(?!\w)",
    re.IGNORECASE,
)
_EMPTY_BRACKETS = re.compile(r"[(\[\"'`]\s*[.\s]*[)\]\"'`]")


def names_of(entity: Entity) -> list[str]:
    """Its name, other names of it and its id as sources write it."""
    aliases = entity.fields.get("aliases") or entity.fields.get("synonyms") or []
    local = entity.id.partition(":")[2]
    return [entity.name, *(alias for alias in aliases if isinstance(alias, str)), local, local.rpartition("/")[2]]


def without_names(text: str, names: Iterable[str]) -> str:
    """`text` without the whole words of `names`, in any case, and without anything that has the form of an id."""
    lower = text.lower()
    there = {name.strip() for name in names if name.strip() and name.strip().lower() in lower}
    longest_first = sorted(there, key=lambda name: (-len(name), name))
    if longest_first:
        either = "|".join(re.escape(name) for name in longest_first)
        text = re.sub(rf"(?<!\w)(?:{either})(?!\w)", " ", text, flags=re.IGNORECASE)
    return _EMPTY_BRACKETS.sub(" ", _IDS.sub(" ", text))
