"""Whether a page gives away a benchmark: such a page is dropped whole."""

from collections.abc import Iterable, Sequence

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import Split
from stages.ground.hygiene import benchmark_cves, benchmark_ngrams, shares_ngram
from stages.ground.web.subjects import Subjects
from stages.ingest.benchmark_cves import cves_in, hash_of, load_hashes
from stages.ingest.schema import Passage


class Leaks(msgspec.Struct, frozen=True, kw_only=True):
    """What no page may hold: CVEs of benchmarks, held-out subjects, and runs of words of benchmark questions."""

    cves: frozenset[str]  # of the benchmarks of this build
    hashes: frozenset[str]  # of the CVEs of public benchmarks, which no source of this build names either
    held_cves: frozenset[str]
    held_out: Subjects
    grams: frozenset[tuple[str, ...]]
    ngram: int  # words of a run

    def found_in(self, address: str, passages: Sequence[Passage]) -> str:
        """`benchmark-cve`, `held-out`, `benchmark-ngram`, or empty.

        A page that merely lists an id among many others is refused too: whether it says what the id stands for is not
        known without reading it, and another page is found sooner.
        """
        told = "\n".join([address, *(text for one in passages for text in (one.title, one.text))])
        named = cves_in(told)
        if named & self.cves or any(hash_of(cve) in self.hashes for cve in named):
            return "benchmark-cve"
        if named & self.held_cves or self.held_out.named_in(told):
            return "held-out"
        joined = " ".join(one.text for one in passages)  # a question may stand across two passages
        return "benchmark-ngram" if shares_ngram(joined, self.grams, self.ngram) else ""


def leaks_of(items: Sequence[BenchmarkItem], splits: Iterable[Split], ngram: int) -> Leaks:
    """From the benchmarks and the held-out subjects of this build, and the list of public benchmarks' CVEs."""
    held_out = [split.entity_id for split in splits if split.split == "heldout"]
    return Leaks(
        cves=frozenset(benchmark_cves(items)),
        hashes=load_hashes(),
        held_cves=frozenset(cves_in("\n".join(held_out))),
        held_out=Subjects(held_out),
        grams=frozenset(benchmark_ngrams(items, ngram)),
        ngram=ngram,
    )
