"""The NOTICE that goes with the exported set: what each source asks of whoever passes the rows on."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from stages.ingest.schema import Entity
from stages.licences import load_classes, strictest

TERMS = Path(__file__).with_name("terms.json")  # licence -> whose it is where that is known, and where its text stands
_DUTIES = {
    "public-domain": "no condition",
    "permissive": "keep the copyright and licence notice",
    "attribution": "name the authors and the source, link the licence, say what was changed",
    "terms": "keep the owner's copyright designation and terms",
    "share-alike": "name the authors; pass on under the same licence only",
    "copyleft": "pass on under the same licence only, with its text",
    "non-commercial": "name the authors; no commercial use",
    "unknown": "not cleared: ask the owner",
}
_CHANGED = (
    "The rows are not the records: questions and answers were written from them by templates and, where a row says "
    "`rewritten` or `synthesized`, by a language model. Their owners endorse neither the rows nor this project."
)


def notice(used: Mapping[str, int], entities: Sequence[Entity], read_from: Mapping[str, Sequence[str]]) -> str:
    """The whole text; `used` is entity id -> rows that use it, `entities` holds at least these, `read_from` is by source."""
    mine = [entity for entity in entities if entity.id in used]
    groups: dict[tuple[str, str, str], list[Entity]] = defaultdict(list)
    for entity in mine:
        groups[entity.source, entity.version, entity.licence].append(entity)
    head = f"NOTICE\n\nThis data set is made from {len(mine):,} public records of the sources below.\n{_CHANGED}\n"
    return "\n".join([head, *(_source(key, groups[key], read_from.get(key[0], ())) for key in sorted(groups))])


def used_entities(rows: Sequence[Collection[str]]) -> dict[str, int]:
    """Entity id -> rows, from the entity ids of each row."""
    return dict(Counter(entity_id for entity_ids in rows for entity_id in set(entity_ids)))


def _source(key: tuple[str, str, str], entities: Sequence[Entity], files: Sequence[str]) -> str:
    source, version, licence = key
    parts = licence.split(" AND ")
    kinds = dict.fromkeys(strictest([part], load_classes()) for part in parts)
    first = min((entity.uri for entity in entities if entity.uri), default="")
    lines = [
        f"{source} {version}: {len(entities):,} records under {licence} ({', '.join(kinds)})",
        *(f"  Duty: {_DUTIES[kind]}." for kind in kinds),
        *(f"  {one}" for part in parts for one in _terms().get(part, {}).values()),
        *([f"  For example {first}"] if first else []),
        *(f"  Read from {file.partition(' sha256 ')[0]}" for file in files),
        *_authors(entities),
    ]
    return "\n".join(lines) + "\n"


@cache
def _terms() -> dict[str, dict[str, str]]:
    return json.loads(TERMS.read_text(encoding="utf-8"))


def _authors(entities: Sequence[Entity]) -> list[str]:
    """Everybody whom the records name as their author, as licences of detection rules ask."""
    named = {
        part.strip()
        for entity in entities
        for part in str(entity.fields.get("author") or "").replace(";", ",").split(",")
        if part.strip()
    }
    return [f"  Authors: {', '.join(sorted(named, key=lambda name: (name.casefold(), name)))}"] if named else []
