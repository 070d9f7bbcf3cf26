"""The NOTICE that goes with the exported set: what each source asks of whoever passes the rows on."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from stages.ingest.schema import Entity
from stages.licences import load_classes, strictest

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


def notice(used: Mapping[str, int], entities: Sequence[Entity]) -> str:
    """The whole text; `used` is entity id -> rows that use it, and `entities` holds at least these."""
    mine = [entity for entity in entities if entity.id in used]
    groups: dict[tuple[str, str, str], list[Entity]] = defaultdict(list)
    for entity in mine:
        groups[entity.source, entity.version, entity.licence].append(entity)
    head = f"NOTICE\n\nThis data set is made from {len(mine):,} public records of the sources below.\n{_CHANGED}\n"
    return "\n".join([head, *(_source(key, groups[key]) for key in sorted(groups))])


def used_entities(rows: Sequence[Collection[str]]) -> dict[str, int]:
    """Entity id -> rows, from the entity ids of each row."""
    return dict(Counter(entity_id for entity_ids in rows for entity_id in set(entity_ids)))


def _source(key: tuple[str, str, str], entities: Sequence[Entity]) -> str:
    source, version, licence = key
    kinds = dict.fromkeys(strictest([part], load_classes()) for part in licence.split(" AND "))
    first = min((entity.uri for entity in entities if entity.uri), default="")
    lines = [
        f"{source} {version}: {len(entities):,} records under {licence} ({', '.join(kinds)})",
        *(f"  Duty: {_DUTIES[kind]}." for kind in kinds),
        *([f"  For example {first}"] if first else []),
        *_authors(entities),
    ]
    return "\n".join(lines) + "\n"


def _authors(entities: Sequence[Entity]) -> list[str]:
    """Everybody whom the records name as their author, as licences of detection rules ask."""
    named = {
        part.strip()
        for entity in entities
        for part in str(entity.fields.get("author") or "").replace(";", ",").split(",")
        if part.strip()
    }
    return [f"  Authors: {', '.join(sorted(named, key=lambda name: (name.casefold(), name)))}"] if named else []
