"""Licence classes of a build counted again, from the source records and without the code of the stage.

`python -m tests.validate.recount FOLDER` compares the count with the metric of the build in FOLDER.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

STRICT_LAST = ("public-domain", "permissive", "attribution", "terms", "share-alike", "copyleft", "non-commercial", "unknown")
CLASSES = Path(__file__).parents[2] / "stages/licences.json"


def recounted(root: Path) -> dict[str, int]:
    """Class -> rows that came in."""
    return dict(Counter(class_by_row(root).values()))


def class_by_row(root: Path) -> dict[str, str]:
    """Row id -> strictest class of the licences of the row's entities and of the evidence in its kept rewrite."""
    names = {name: kind for kind, listed in json.loads(CLASSES.read_text()).items() for name in listed}
    licence_of = {one["id"]: one["licence"] for one in records(root / "data/graph/entities.parquet")}
    passages = {(one["row_id"], one["passage_id"]): one["licence"] for one in records(root / "data/ground/evidence.parquet")}
    found = {}
    for row in [*records(root / "data/enrich/rows.parquet"), *records(root / "data/synthesize/rows.parquet")]:
        used = row["evidence_ids"] if row["decision"] == "rewritten" else []
        parts = [licence_of[one] for one in row["entity_ids"]] + [passages[row["id"], one] for one in used]
        classes = [names.get(name, "unknown") for part in parts for name in part.split(" AND ")]
        found[row["id"]] = max(classes, key=STRICT_LAST.index)
    return found


def records(path: Path) -> list[dict]:
    return pq.read_table(path).to_pylist()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    told = json.loads((folder / "metrics/validate.json").read_text())["licence_classes"]
    again = recounted(folder)
    print(f"metric {sorted(told.items())}, counted again {sorted(again.items())}: {'equal' if told == again else 'DIFFERENT'}")
    sys.exit(told != again)
