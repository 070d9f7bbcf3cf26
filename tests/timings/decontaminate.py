"""100,000 rows against 10,000 benchmark items, beside a set of n-gram strings."""

import random

from stages.validate.benchmark_index import Item, build_index
from stages.validate.decontaminate import Document, find_contamination
from stages.validate.ngrams import words
from stages.validate.params import DecontaminationParams
from tests.timings.clock import Line, measure, show

PARAMS = DecontaminationParams()


def main() -> None:
    """Print seconds at 1x, 2x and 4x, and check that both find the same rows."""
    items, rows = make_items(10_000), make_rows(100_000)
    lines = []
    for count in (25_000, 50_000, 100_000):
        ours = measure(lambda count=count: matched_rows(rows[:count], items))
        lines.append(Line(f"{count:,} rows x 10,000 items", ours, limit=15.0))
    peer = measure(lambda: set_of_strings(rows, items))
    lines[-1].peers["set of strings"] = peer
    show("decontaminate", lines)
    ours = lines[-1].ours.result
    print(f"rows found: ours {len(ours):,}, peer {len(peer.result):,}, identical: {ours == peer.result}")


def make_items(count: int) -> list[Item]:
    """Items of 30-80 random words."""
    chance = random.Random(2)
    vocabulary = [f"word{number}" for number in range(20_000)]
    texts = [" ".join(chance.choices(vocabulary, k=chance.randint(30, 80))) for _ in range(count)]
    return [
        Item(
            id=str(number),
            benchmark="timing",
            subject=str(number),
            text=text,
            identifiers=frozenset({f"CVE-2031-{10_000 + number}"}),
        )
        for number, text in enumerate(texts)
    ]


def make_rows(count: int) -> list[Document]:
    """Rows of 60-200 random words; each hundredth holds 20 words of an item."""
    chance, items = random.Random(3), make_items(10_000)
    vocabulary = [f"word{number}" for number in range(20_000)]
    rows = []
    for number in range(count):
        text = chance.choices(vocabulary, k=chance.randint(60, 200))
        if number % 100 == 0:
            text[10:10] = items[number // 100].text.split()[:20]
        half = len(text) // 2
        rows.append(
            Document(
                id=str(number),
                subject=str(number),
                texts={"instruction": [" ".join(text[:half])], "answer": [" ".join(text[half:])]},
            )
        )
    return rows


def matched_rows(rows: list[Document], items: list[Item]) -> set[str]:
    """Rows that this project finds: identifiers, n-grams, verified."""
    return {match.row for match in find_contamination(rows, build_index(items, PARAMS), PARAMS).matches}


def set_of_strings(rows: list[Document], items: list[Item]) -> set[str]:
    """The plain way: every n-gram as a string in a set; n-grams only."""
    known = {gram for item in items for gram in _strings(item.text)}
    return {
        row.id for row in rows for texts in row.texts.values() for text in texts if any(gram in known for gram in _strings(text))
    }


def _strings(text: str) -> list[str]:
    parts = words(text)
    return [" ".join(parts[start : start + PARAMS.ngram]) for start in range(len(parts) - PARAMS.ngram + 1)]


if __name__ == "__main__":
    main()
