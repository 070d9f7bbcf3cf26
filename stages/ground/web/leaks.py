"""Whether a page gives away a benchmark: such a page is dropped whole."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import Split
from stages.ground.hygiene import benchmark_cves, benchmark_ngrams, shares_ngram
from stages.ingest.schema import Passage

_CVE = re.compile(r"\bCVE-\d{4}-\d{4,}\b", re.IGNORECASE)


class Leaks(msgspec.Struct, frozen=True):
    """What no page may hold: the CVEs of benchmarks and of held-out subjects, and runs of words of benchmark questions."""

    cves: frozenset[str]
    grams: frozenset[tuple[str, ...]]
    ngram: int  # words of a run

    def found_in(self, address: str, passages: Sequence[Passage]) -> str:
        """`benchmark-cve`, `benchmark-ngram`, or empty."""
        named = _cves([address, *(text for one in passages for text in (one.title, one.text))])
        if named & self.cves:
            return "benchmark-cve"
        joined = " ".join(one.text for one in passages)  # a question may stand across two passages
        return "benchmark-ngram" if shares_ngram(joined, self.grams, self.ngram) else ""


def leaks_of(items: Sequence[BenchmarkItem], splits: Iterable[Split], ngram: int) -> Leaks:
    """From the benchmarks and the held-out subjects of this build."""
    held_out = _cves(split.entity_id for split in splits if split.split == "heldout")
    return Leaks(frozenset(benchmark_cves(items) | held_out), frozenset(benchmark_ngrams(items, ngram)), ngram)


def _cves(texts: Iterable[str]) -> set[str]:
    return {found.upper() for text in texts for found in _CVE.findall(text)}
