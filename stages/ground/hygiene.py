"""Which passages may be evidence: none of a held-out subject, of a denied licence, or that gives away a benchmark item."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import Split
from stages.ground.text import words
from stages.ingest.benchmark_cves import cves_in
from stages.ingest.schema import Link, Passage
from stages.licences import load_classes, strictest


def usable_passages(
    passages: Sequence[Passage],
    splits: Iterable[Split],
    items: Sequence[BenchmarkItem],
    ngram: int,
    deny: Collection[str] = (),
) -> tuple[list[Passage], dict[str, int]]:
    """The passages that evidence may come from, and how many were left out for which reason.

    `deny` names classes of licences: a row that has a passage of one may not train, so its rewrite would be paid in vain.
    """
    held_out = {split.entity_id for split in splits if split.split == "heldout"}
    cves = benchmark_cves(items)
    grams = benchmark_ngrams(items, ngram)
    denied = denied_licences(passages, deny)
    kept, counts = [], Counter({"held-out": 0, "licence-denied": 0, "benchmark-cve": 0, "benchmark-ngram": 0, "empty": 0})
    for passage in passages:
        reason = "licence-denied" if passage.licence in denied else _why_not(passage, held_out, cves, grams, ngram)
        counts[reason or "usable"] += 1
        if not reason:
            kept.append(passage)
    return sorted(kept, key=lambda passage: passage.id), dict(counts)


def denied_licences(texts: Iterable[Passage | Link], deny: Collection[str]) -> set[str]:
    """The licences of `texts` whose class stands in `deny`."""
    classes = load_classes()
    return {licence for licence in {text.licence for text in texts} if strictest([licence], classes) in deny}


def _why_not(passage: Passage, held_out: set[str], cves: set[str], grams: set[tuple[str, ...]], ngram: int) -> str:
    if passage.entity_id in held_out:
        return "held-out"
    if not passage.text.strip():
        return "empty"
    if cves_in(f"{passage.entity_id} {passage.title} {passage.text}") & cves:
        return "benchmark-cve"
    return "benchmark-ngram" if shares_ngram(passage.text, grams, ngram) else ""


def benchmark_cves(items: Iterable[BenchmarkItem]) -> set[str]:
    """Every CVE id that a benchmark item names anywhere."""
    texts = (" ".join([item.question, item.subject, *item.entity_ids, *item.options, *item.key]) for item in items)
    return {cve for text in texts for cve in cves_in(text)}


def benchmark_ngrams(items: Iterable[BenchmarkItem], size: int) -> set[tuple[str, ...]]:
    """All runs of `size` words of all questions."""
    return {gram for item in items for gram in ngrams(words(item.question), size)}


def whole_in_benchmarks(texts: Iterable[Sequence[str]], items: Iterable[BenchmarkItem], size: int) -> set[tuple[str, ...]]:
    """Those of `texts`, as words, that are shorter than `size` and stand whole in a question or an option."""
    short = {tuple(text) for text in texts if 0 < len(text) < size}
    lengths = sorted({len(text) for text in short})
    told = {tuple(words(text)) for item in items for text in (item.question, *item.options)}
    return {gram for text in told for length in lengths for gram in ngrams(text, length) if gram in short}


def shares_ngram(text: str, grams: set[tuple[str, ...]], size: int) -> bool:
    """Whether a run of `size` words of `text` stands in `grams`."""
    return bool(grams) and any(gram in grams for gram in ngrams(words(text), size))


def ngrams(sequence: Sequence[str], size: int) -> Iterable[tuple[str, ...]]:
    """All runs of `size` words."""
    return zip(*(sequence[start:] for start in range(size)), strict=False)
