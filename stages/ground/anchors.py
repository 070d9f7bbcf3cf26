"""Anchor text: what sources say of an entry elsewhere, so that it is found by words which it does not use itself.

A group's report says `sent mails with a link to a fake login page`; the technique that this exemplifies says `spearphishing
link`. Search engines of the web index a page with the words of links to it (Craswell, Hawking, Robertson 2001); here the
links are those of the knowledge graph. Anchor text is searched and never shown: evidence is the passage itself.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import Split
from stages.ground.hygiene import benchmark_cves, benchmark_ngrams, denied_licences, shares_ngram
from stages.ground.text import words
from stages.ingest.benchmark_cves import cves_in
from stages.ingest.schema import Link, Passage

# Relations whose sentence is an instance of its object. What mitigates or detects an entry is told in passages of its own,
# and names or texts of linked entries found nothing more (`python -m stages.ground.recall`).
INSTANCES = ("describes", "instance-of", "uses")
LEAST_WORDS = 4
OUTSIDE = ("dev", "heldout")  # splits whose subjects lend no sentence and get none


class Anchors(msgspec.Struct, frozen=True):
    """Sentences by the id of the passage that they lead to, and their weight beside the passage's own words."""

    texts: Mapping[str, list[str]] = {}
    weight: float = 0.0


NONE = Anchors()


def anchors_of(
    links: Sequence[Link],
    passages: Iterable[Passage],
    splits: Iterable[Split],
    items: Sequence[BenchmarkItem],
    ngram: int,
    deny: Collection[str],
    weight: float,
) -> tuple[Anchors, dict[str, int]]:
    """The sentences that lead to one of `passages`, and how many were left out for which reason; none at all of weight 0.

    They obey the rules that evidence obeys: no benchmark's CVE or words, no licence of the classes in `deny`, nothing about a
    subject that is held out; nor about one of the dev split, so that a figure on it is no figure on what was indexed.
    """
    counts = Counter({"held-out": 0, "licence-denied": 0, "benchmark-cve": 0, "benchmark-ngram": 0, "no-passage": 0})
    target, denied = _described(passages), denied_licences(links, deny)
    outside = {split.entity_id for split in splits if split.split in OUTSIDE}
    cves, grams = benchmark_cves(items), benchmark_ngrams(items, ngram)
    texts: dict[str, set[str]] = {}
    for link in links if weight else ():
        if link.relation not in INSTANCES or len(words(link.text)) < LEAST_WORDS:
            continue
        reason = _why_not(link, target, outside, denied, cves)
        if not reason and shares_ngram(link.text, grams, ngram):
            reason = "benchmark-ngram"
        counts[reason or "usable"] += 1
        if not reason:
            texts.setdefault(target[link.object], set()).add(" ".join(link.text.split()))
    return Anchors({passage_id: sorted(of_one) for passage_id, of_one in sorted(texts.items())}, weight), dict(counts)


def _described(passages: Iterable[Passage]) -> dict[str, str]:
    """Entity id -> the id of the passage that says what it is, or of its first one."""
    order = sorted(passages, key=lambda passage: (not passage.id.endswith("#description"), passage.id))
    found: dict[str, str] = {}
    for passage in order:
        found.setdefault(passage.entity_id, passage.id)
    return found


def _why_not(link: Link, target: Mapping[str, str], outside: Collection[str], denied: Collection[str], cves: set[str]) -> str:
    if link.subject in outside or link.object in outside:
        return "held-out"
    if link.object not in target:
        return "no-passage"
    if link.licence in denied:
        return "licence-denied"
    return "benchmark-cve" if cves_in(f"{link.subject} {link.object} {link.text}") & cves else ""
