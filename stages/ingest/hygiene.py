"""Benchmark hygiene at the source: nothing about a CVE of a public benchmark leaves ingest.

Entities and passages about one go as a whole, links that touch one too; of other texts only the sentences that name one go.
Everything else of the pipeline then cannot leak their answers, whatever it makes of the tables.
"""

import re
from collections import Counter
from typing import Any

import msgspec

from stages.ingest.benchmark_cves import cves_in, hash_of
from stages.ingest.records import MIN_PASSAGE, Records
from stages.ingest.schema import Entity, Link, Passage

REASON = "benchmark-cve"
COUNTED = ("entities", "links", "passages", "sentences")
REPORTED = {"advisory": "cves", "ticket": "cve"}  # by entity type: the field that names the CVEs which it is about
CODE = ("detection", "search", "query")  # fields that a missing line would break: they go as a whole
_BETWEEN_SENTENCES = re.compile(r"(\n+|(?:(?<=[.!?])|(?<=[.!?][\"')\]]))(?<!e\.g\.)(?<!i\.e\.)(?<!cf\.)(?<!vs\.)[^\S\n]+)")


def remove_benchmark_cves(records: Records, hashes: frozenset[str]) -> dict[str, int]:
    """Clean the rows of `records` in place. Returns how many entities, links, passages and sentences went."""
    cleaner = _Cleaner(hashes)
    records.entities[:] = [kept for entity in records.entities if (kept := cleaner.entity(entity, records))]
    records.links[:] = [kept for link in records.links if (kept := cleaner.link(link))]
    records.passages[:] = [kept for passage in records.passages if (kept := cleaner.passage(passage))]
    return dict(cleaner.removed)


class _Cleaner:
    """The counters, and which entities of the source are gone."""

    def __init__(self, hashes: frozenset[str]) -> None:
        self.hashes = hashes
        self.removed: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        self.gone: set[str] = set()

    def names(self, text: str) -> bool:
        """Whether `text` names a CVE of a benchmark."""
        return any(hash_of(cve) in self.hashes for cve in cves_in(text))

    def entity(self, entity: Entity, records: Records) -> Entity | None:
        """The entity without what names one; None, and a reject, if it is about one."""
        if not self._anywhere(entity):
            return entity
        if self.names("\n".join(_about(entity))):
            self.gone.add(entity.id)
            self.removed["entities"] += 1
            records.reject(entity.id, REASON, "a public benchmark asks about it")
            return None
        return msgspec.structs.replace(entity, text=self._prose(entity.text), fields=self._fields(entity.fields))

    def link(self, link: Link) -> Link | None:
        """The link, its text without sentences that name one; None if an end is one or gone."""
        if {link.subject, link.object} & self.gone or self.names(f"{link.subject}\n{link.object}"):
            self.removed["links"] += 1
            return None
        return msgspec.structs.replace(link, text=self._prose(link.text)) if self.names(link.text) else link

    def passage(self, passage: Passage) -> Passage | None:
        """The passage without sentences that name one; None if it is about one or too little is left."""
        text = passage.text
        if passage.entity_id not in self.gone and not self.names(f"{passage.id}\n{passage.title}\n{passage.uri}"):
            if not self.names(text):
                return passage
            text = self._prose(text)
            if len(text) >= MIN_PASSAGE:
                return msgspec.structs.replace(passage, text=text)
        self.removed["passages"] += 1
        return None

    def _anywhere(self, entity: Entity) -> bool:
        """One look at all strings of an entity at once: few name a CVE of a benchmark."""
        return self.names(msgspec.json.encode(entity).decode())

    def _prose(self, text: str) -> str:
        """`text` without the sentences, or lines, that name one."""
        pieces = [*_BETWEEN_SENTENCES.split(text), ""]  # sentence, gap, sentence, gap ...
        kept = [(sentence, gap) for sentence, gap in zip(pieces[::2], pieces[1::2], strict=True) if not self.names(sentence)]
        self.removed["sentences"] += len(pieces) // 2 - len(kept)
        return "".join(sentence + gap for sentence, gap in kept).strip()

    def _fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        cleaned = {key: self._value(value, whole=key in CODE) for key, value in fields.items()}
        return {key: value for key, value in cleaned.items() if value not in ("", [], {}) or fields[key] == value}

    def _value(self, value: Any, *, whole: bool = False) -> Any:
        """A value of `fields`: an emptied text is "", an item of a list that is emptied goes."""
        if isinstance(value, str):
            return (("" if whole else self._prose(value)) if self.names(value) else value) or ""
        if isinstance(value, dict):
            return {key: self._value(one, whole=whole) for key, one in value.items() if not self.names(str(key))}
        if isinstance(value, list | tuple):
            pairs = [(one, self._value(one, whole=whole)) for one in value]
            return [cleaned for one, cleaned in pairs if cleaned == one or _holds_text(cleaned)]
        return value


def _about(entity: Entity) -> list[str]:
    """What says which CVE an entity is about. The text and weaknesses of an advisory or ticket are those of every CVE it reports."""
    reported = entity.fields.get(REPORTED[entity.type], []) if entity.type in REPORTED else []
    return [entity.id, entity.name, entity.uri, *reported]


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_text(one) for one in value.values())
    return value not in ("", [], {}, None)
