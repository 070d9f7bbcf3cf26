"""Equal texts of many rows as one object in memory.

A row of 1,100 characters read from Parquet takes 4 kB: the template answer is there beside an equal answer, and twenty
short texts (task, family, licences) are copies of those of other rows. Shared it takes less than 2 kB.
"""

import sys

import msgspec

from stages.enrich.schema import EnrichedRow
from stages.ground.schema import Evidence

_WORDS = ("task", "family", "key_kind", "subject", "split", "decision", "readability", "format_sha256")
_LISTS = ("answer_key", "entity_ids", "labels", "sources", "licences", "reasons", "evidence_ids", "request_hashes")


class Shared:
    """What was seen in the rows of one table."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, ...], list[str]] = {}
        self._texts: dict[str, str] = {}

    def row(self, row: EnrichedRow) -> EnrichedRow:
        """An equal row."""
        words = {name: sys.intern(getattr(row, name)) for name in _WORDS}
        lists = {name: self._list(getattr(row, name)) for name in _LISTS}
        same = {name: row.answer for name in ("template_answer", "rewrite") if getattr(row, name) == row.answer}
        return msgspec.structs.replace(row, **words, **lists, **same)

    def evidence(self, one: Evidence) -> Evidence:
        """An equal passage; many rows rest on the same one."""
        names = ("passage_id", "entity_id", "uri", "licence", "text")
        return msgspec.structs.replace(
            one, **{name: self._texts.setdefault(getattr(one, name), getattr(one, name)) for name in names}
        )

    def _list(self, values: list[str]) -> list[str]:
        return self._lists.setdefault(tuple(values), values)
