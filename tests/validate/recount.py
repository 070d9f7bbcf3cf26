"""Licence classes of a build counted again, from the source records and without the code of the stage."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

STRICT_LAST = ("public-domain", "permissive", "attribution", "terms", "share-alike", "copyleft", "non-commercial", "unknown")
CLASSES = Path(__file__).parents[2] / "stages/licences.json"


def recounted(root: Path) -> dict[str, int]:
    """Class -> rows that came in, by the licences of each row's entities and of the evidence in kept rewrites."""
    names = {name: kind for kind, listed in json.loads(CLASSES.read_text()).items() for name in listed}
    licence_of = {one["id"]: one["licence"] for one in records(root / "data/graph/entities.parquet")}
    passages = {(one["row_id"], one["passage_id"]): one["licence"] for one in records(root / "data/ground/evidence.parquet")}
    counts: Counter[str] = Counter()
    for row in [*records(root / "data/enrich/rows.parquet"), *records(root / "data/synthesize/rows.parquet")]:
        used = row["evidence_ids"] if row["decision"] == "rewritten" else []
        parts = [licence_of[one] for one in row["entity_ids"]] + [passages[row["id"], one] for one in used]
        classes = [names.get(name, "unknown") for part in parts for name in part.split(" AND ")]
        counts[max(classes, key=STRICT_LAST.index)] += 1
    return dict(counts)


def records(path: Path) -> list[dict]:
    return pq.read_table(path).to_pylist()
