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
from stages.ground.hygiene import benchmark_cves, benchmark_ngrams, denied_licences, ngrams, whole_in_benchmarks
from stages.ground.text import words
from stages.ingest.benchmark_cves import cves_in
from stages.ingest.schema import Link, Passage

# Relations whose sentence is an instance of its object. What mitigates or detects an entry is told in passages of its own,
# and names or texts of linked entries found nothing more (`python -m stages.ground.recall`).
INSTANCES = ("instance-of", "uses")
LEAST_WORDS = 4
# Why a sentence is not searched; `said-elsewhere`: a link that is left out for a reason above it says the same words.
REASONS = (
    *("held-out", "licence-denied", "benchmark-cve", "benchmark-whole", "benchmark-ngram"),
    *("said-elsewhere", "too-short", "no-passage"),
)
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

    They obey the rules that evidence obeys: no benchmark's CVE or words, no licence of the classes in `deny`, nothing that a link
    of a held-out or dev subject says, whichever other link says it too. A sentence shorter than the run of `ngram` words stands
    whole in no question or option. About a train subject one may still share words with a dev row: the dev split is by subject.
    """
    target, denied = _described(passages), denied_licences(links, deny)
    outside = {split.entity_id for split in splits if split.split in OUTSIDE}
    said = [(link, words(link.text)) for link in links if weight and link.relation in INSTANCES and link.text.strip()]
    cves, grams = benchmark_cves(items), benchmark_ngrams(items, ngram)
    whole = whole_in_benchmarks((spoken for _, spoken in said if len(spoken) >= LEAST_WORDS), items, ngram)
    leaks = [_leak(link, outside, denied, cves) or _repeats(spoken, grams, whole, ngram) for link, spoken in said]
    leaking = {tuple(spoken) for (_, spoken), leak in zip(said, leaks, strict=True) if leak}
    counts, texts = Counter(dict.fromkeys(REASONS, 0)), dict[str, set[str]]()
    for (link, spoken), leak in zip(said, leaks, strict=True):
        reason = leak or _unfit(link, spoken, target, leaking)
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


def _leak(link: Link, outside: Collection[str], denied: Collection[str], cves: set[str]) -> str:
    if link.subject in outside or link.object in outside:
        return "held-out"
    if link.licence in denied:
        return "licence-denied"
    return "benchmark-cve" if cves_in(f"{link.subject} {link.object} {link.text}") & cves else ""


def _repeats(spoken: list[str], grams: set[tuple[str, ...]], whole: set[tuple[str, ...]], ngram: int) -> str:
    if tuple(spoken) in whole:
        return "benchmark-whole"
    return "benchmark-ngram" if any(gram in grams for gram in ngrams(spoken, ngram)) else ""


def _unfit(link: Link, spoken: list[str], target: Mapping[str, str], leaking: set[tuple[str, ...]]) -> str:
    if len(spoken) < LEAST_WORDS:
        return "too-short"
    if tuple(spoken) in leaking:
        return "said-elsewhere"
    return "" if link.object in target else "no-passage"
