"""What the data set is made of: rows by family, source, licence and type of answer."""

import csv
from collections import Counter
from collections.abc import Iterable
from io import StringIO

from stages.enrich.schema import EnrichedRow

COLUMNS = ("family", "source", "licence", "type", "rows")
TYPES = {"letter": "multiple choice", "yes-no": "yes or no", "none": "free text", "vector": "vector"}


def composition(rows: Iterable[EnrichedRow]) -> str:
    """A CSV table, one line for each combination that has rows. Several sources or licences of a row are joined by ` + `."""
    counts = Counter(
        (
            row.family,
            " + ".join(sorted(set(row.sources))),
            " + ".join(sorted(set(row.licences))),
            TYPES.get(row.key_kind, "identifier"),
        )
        for row in rows
    )
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((*key, count) for key, count in sorted(counts.items()))
    return text.getvalue()
