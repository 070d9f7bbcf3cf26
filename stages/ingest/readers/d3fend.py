"""MITRE D3FEND countermeasures and the ATT&CK techniques they counter, as the MISP galaxy carries them.

Files: `techniques` (the D3FEND cluster), `attack` (the ATT&CK cluster whose UUIDs the links name).
"""

from stages.ingest.galaxy import Value, read_cluster
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with defensive techniques, what they counter, and passages. The source repeats links."""
    attack = {
        value.uuid: value.meta.external_id
        for value in records.convert(read_cluster(files, "attack", "mitre-attack-pattern"), Value)
    }
    for value in records.convert(read_cluster(files, "techniques", "mitre-d3fend"), Value):
        text = clean(value.description)
        if not text or not value.meta.external_id.startswith("D3-"):
            records.reject(f"{value.meta.external_id} {value.value}", "empty-text" if not text else "broken-record")
            continue
        _add(value, text, attack, records)


def _add(value: Value, text: str, attack: dict[str, str], records: Records) -> None:
    tactic, _, category = (value.meta.kill_chain[0] if value.meta.kill_chain else "").partition(":")
    known = [related for related in value.related if related.dest in attack]
    entity = records.entity(
        f"d3fend:{value.meta.external_id}",
        "defensive-technique",
        value.value.strip(),
        text,
        next(iter(value.meta.refs), "https://d3fend.mitre.org/"),
        {
            "tactic": tactic,
            "category": category.replace("-", " "),
            "synonyms": value.meta.synonyms,
            "actions": sorted({related.type for related in known}),
        },
    )
    for related in known:
        records.link(entity.id, "counters", f"attack:{attack[related.dest]}")
    for related in value.related:
        if related.dest not in attack:
            records.reject(f"{entity.id} {related.dest}", "unresolved-id", related.type)
    records.passage(entity, "definition", text)
