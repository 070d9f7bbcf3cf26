"""What an update of sources changes: entities and links against the last build, and the rows, items and formats they touch."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from stages.ingest.schema import Entity, Link

EXAMPLES = 5  # ids shown of each kind of change
TEXT_FIELDS = ("name", "text")
ADDED, REMOVED, WITHDRAWN, REWORDED, REFILLED = "added", "removed", "withdrawn", "reworded", "other fields"
RELINKED = "other links"  # of a row: a link between two of its entities is gone or has another text
LINK_CHANGES = {"+": "+{count:,} {relation}", "-": "-{count:,} {relation}", "~": "{count:,} {relation} reworded"}

Key = tuple[str, str]  # id, source


class Uses(msgspec.Struct, frozen=True):
    """A row or an item of the last build: what it belongs to and which entities its facts come from."""

    owner: str  # task, or benchmark
    entity_ids: list[str]


class SourceChange(msgspec.Struct, frozen=True):
    """How one source differs from the last build; ids by kind of change, sorted."""

    versions: tuple[str, str]  # before, after; empty where the source was or is not there
    entities: dict[str, list[str]]
    links: dict[str, int]  # `+ relation`, `- relation` and `~ relation` (another text) -> count
    ends: list[tuple[str, str]] = []  # subject and object of the links that are gone or reworded, sorted


def compare_sources(
    before: tuple[Iterable[Entity], Iterable[Link]], after: tuple[Iterable[Entity], Iterable[Link]]
) -> dict[str, SourceChange]:
    """Every source that differs, by name."""
    old, new = _entities(before[0]), _entities(after[0])
    kinds = _changes(old, new)
    links, ends = _link_changes(before[1], after[1])
    versions = _versions(old), _versions(new)
    return {
        source: SourceChange(
            versions=(versions[0].get(source, ""), versions[1].get(source, "")),
            entities={kind: sorted(ids) for kind, ids in sorted(kinds.get(source, {}).items())},
            links=dict(sorted(links.get(source, {}).items())),
            ends=sorted(ends.get(source, ())),
        )
        for source in sorted({*kinds, *links, *_renamed(*versions)})
    }


def touched(changes: Mapping[str, SourceChange]) -> dict[str, str]:
    """Entity id -> the change that matters most for what was made of it. New entities touch nothing that exists."""
    found: dict[str, str] = {}
    for kind in (REFILLED, REWORDED, WITHDRAWN, REMOVED):
        for change in changes.values():
            found.update(dict.fromkeys(change.entities.get(kind, []), kind))
    return found


def linked_ends(changes: Mapping[str, SourceChange]) -> dict[str, set[str]]:
    """Subject -> objects of the links that are gone or reworded."""
    found: dict[str, set[str]] = {}
    for change in changes.values():
        for subject, object in change.ends:
            found.setdefault(subject, set()).add(object)
    return found


def affected(
    uses: Iterable[Uses], changed: Mapping[str, str], ends: Mapping[str, set[str]] | None = None
) -> dict[str, dict[str, int]]:
    """By owner: how many of its rows rest on a changed entity or link, by the gravest change; `all` counts every row."""
    order = (REMOVED, WITHDRAWN, REWORDED, RELINKED, REFILLED)
    counts: dict[str, Counter[str]] = {}
    for use in uses:
        counter = counts.setdefault(use.owner, Counter())
        counter["all"] += 1
        kinds = {changed[one] for one in use.entity_ids if one in changed}
        if ends and any(not ends[one].isdisjoint(use.entity_ids) for one in use.entity_ids if one in ends):
            kinds.add(RELINKED)
        if kinds:
            counter[next(kind for kind in order if kind in kinds)] += 1
    return {owner: dict(counter) for owner, counter in sorted(counts.items()) if len(counter) > 1}


def _entities(entities: Iterable[Entity]) -> dict[Key, Entity]:
    return {(entity.id, entity.source): entity for entity in entities}


def _changes(old: Mapping[Key, Entity], new: Mapping[Key, Entity]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    there = {id for id, _ in new}
    for key in {*old, *new}:
        kind = _kind(old.get(key), new.get(key))
        if kind == REMOVED and key[0] in there:
            kind = REFILLED  # another source still has it
        if kind:
            found.setdefault(key[1], {}).setdefault(kind, []).append(key[0])
    return found


def _kind(old: Entity | None, new: Entity | None) -> str:
    if old is None or new is None:
        return ADDED if old is None else REMOVED
    if new.deprecated and not old.deprecated:
        return WITHDRAWN
    if any(getattr(old, field) != getattr(new, field) for field in TEXT_FIELDS):
        return REWORDED
    return REFILLED if (old.fields, old.revoked_by, old.type) != (new.fields, new.revoked_by, new.type) else ""


def _link_changes(old: Iterable[Link], new: Iterable[Link]) -> tuple[dict[str, Counter[str]], dict[str, set[tuple[str, str]]]]:
    """By source: counts of the changes, and the ends of the links that are gone or reworded."""
    before, after = _texts(old), _texts(new)
    counts: dict[str, Counter[str]] = {}
    ends: dict[str, set[tuple[str, str]]] = {}
    for key in {*before, *after}:
        if before.get(key) == after.get(key):
            continue
        source, subject, relation, object = key
        sign = "+" if key not in before else "-" if key not in after else "~"
        counts.setdefault(source, Counter())[f"{sign} {relation}"] += 1
        if sign != "+":
            ends.setdefault(source, set()).add((subject, object))
    return counts, ends


def _texts(links: Iterable[Link]) -> dict[tuple[str, str, str, str], set[str]]:
    """What a source says of each link, by source, subject, relation and object."""
    found: dict[tuple[str, str, str, str], set[str]] = {}
    for one in links:
        found.setdefault((one.source, one.subject, one.relation, one.object), set()).add(one.text)
    return found


def _versions(entities: Mapping[Key, Entity]) -> dict[str, str]:
    return {source: entity.version for (_, source), entity in entities.items()}


def _renamed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [source for source in {*old, *new} if old.get(source) != new.get(source)]


def as_text(changes: Mapping[str, SourceChange], rows: Mapping[str, dict[str, int]], items: Mapping[str, dict[str, int]]) -> str:
    """The report as people read it."""
    lines = [line for source, change in changes.items() for line in _source_lines(source, change)]
    if not lines:
        return "No source differs from the last build."
    lines += _owner_lines("Rows of the last build that rest on what changed, by task (its format may need another look):", rows)
    lines += _owner_lines("Items of own benchmarks that rest on what changed:", items)
    return "\n".join(lines)


def _source_lines(source: str, change: SourceChange) -> list[str]:
    old, new = (version or "(not there)" for version in change.versions)
    lines = [f"{source}: {old} -> {new}" if old != new else f"{source}: {old}"]
    for kind, ids in change.entities.items():
        shown = ", ".join(ids[:EXAMPLES]) + (", ..." if len(ids) > EXAMPLES else "")
        lines.append(f"  {kind:12} {len(ids):7,}  {shown}")
    if change.links:
        shown = (LINK_CHANGES[key[0]].format(count=count, relation=key[2:]) for key, count in change.links.items())
        lines.append(f"  links        {', '.join(shown)}")
    return lines


def _owner_lines(title: str, owners: Mapping[str, dict[str, int]]) -> list[str]:
    if not owners:
        return ["", f"{title} none"]
    lines = ["", title]
    for owner, counts in owners.items():
        parts = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if kind != "all")
        lines.append(f"  {owner:36} {parts} of {counts['all']:,}")
    return lines


def as_data(
    changes: Mapping[str, SourceChange], rows: Mapping[str, dict[str, int]], items: Mapping[str, dict[str, int]]
) -> dict[str, Any]:
    """The report with every id, for programs."""
    return {"sources": msgspec.to_builtins(dict(changes)), "rows": dict(rows), "items": dict(items)}


def uses_of(table: Sequence[Mapping[str, Any]], owner: str) -> list[Uses]:
    """Rows of a Parquet table as plain data; `owner` is the column that names the task or benchmark."""
    return [Uses(str(row[owner]), list(row["entity_ids"])) for row in table]
