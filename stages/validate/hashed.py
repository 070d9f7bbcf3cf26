"""Find rows that hold n-grams of public benchmarks of which only hashes are known.

The rules are those of `decontaminate`, with two differences: an item cannot be named, and the words cannot be compared
(`benchmark_hashes` states how often chance is taken for a hit).
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from stages.validate.benchmark_hashes import HashedBenchmarks, HashedGrams, shortened
from stages.validate.decontaminate import Match
from stages.validate.ngrams import Hashes, Numbers, chunks, grams, words
from stages.validate.overlap import Document
from stages.validate.params import DecontaminationParams

_FILTER = np.uint64((1 << 24) - 1)


class HashedFinding(msgspec.Struct, frozen=True):
    """Decontamination against one benchmark that is known by hashes."""

    items: int
    items_unsearchable: int
    rows_dropped: int
    by_rule: dict[str, int]  # rule -> rows


class _Found(NamedTuple):
    """n-grams of texts that a benchmark has: text, word position, benchmarks, hash. Parallel arrays."""

    texts: Numbers
    positions: Numbers
    holders: npt.NDArray[np.uint16]
    hashes: Hashes


def find_hashed(documents: Sequence[Document], known: HashedBenchmarks, params: DecontaminationParams) -> list[Match]:
    """One match per row, rule, level and benchmark, sorted; its item is empty and its overlap 0, since neither is known."""
    flat = [(text, number, level) for number, one in enumerate(documents) for level, texts in one.texts.items() for text in texts]
    texts = [text for text, _, _ in flat]
    numbers: dict[str, int] = {}
    subjects = np.array([numbers.setdefault(documents[owner].subject or f"\x00{owner}", len(numbers)) for _, owner, _ in flat])
    matches: dict[tuple[str, str, str, str], Match] = {}
    for table, found in zip(known.tables, _lookup(texts, known.tables), strict=True):
        found = _telling(found, subjects, params.boilerplate_documents)
        rule = f"hashed-{table.n}-gram"
        for text, position, holders in zip(found.texts.tolist(), found.positions.tolist(), found.holders.tolist(), strict=True):
            row, level = documents[flat[text][1]].id, flat[text][2]
            for name in (one.name for bit, one in enumerate(known.benchmarks) if holders >> bit & 1):
                if (row, rule, level, name) not in matches:
                    shared = " ".join(words(texts[text])[position : position + table.n])
                    matches[row, rule, level, name] = Match(
                        row=row, item="", benchmark=name, rule=rule, level=level, overlap=0.0, evidence=shared
                    )
    return [matches[key] for key in sorted(matches)]


def hashed_findings(known: HashedBenchmarks, matches: Sequence[Match]) -> dict[str, HashedFinding]:
    """What was found per benchmark."""
    findings = {}
    for one in known.benchmarks:
        rows = {(match.row, match.rule) for match in matches if match.benchmark == one.name}
        by_rule = {rule: sum(rule == other for _, other in rows) for rule in sorted({rule for _, rule in rows})}
        findings[one.name] = HashedFinding(one.items, one.unsearchable, len({row for row, _ in rows}), by_rule)
    return findings


def _lookup(texts: Sequence[str], tables: Sequence[HashedGrams]) -> list[_Found]:
    filters = [_filter(table) for table in tables]
    parts: list[list[_Found]] = [[_nothing()] for _ in tables]
    for first, part in chunks(texts):
        for table, present, found in zip(tables, filters, parts, strict=True):
            shared = grams(part, table.n)
            short = shortened(shared.hashes)
            maybe = np.flatnonzero(present[short & _FILTER])
            place = np.minimum(np.searchsorted(table.hashes, short[maybe]), max(0, len(table.hashes) - 1))
            equal = table.hashes[place] == short[maybe] if len(maybe) else np.empty(0, np.bool_)
            hit, place = maybe[equal], place[equal]
            found.append(_Found(shared.texts[hit] + first, shared.positions[hit], table.holders[place], short[hit]))
    return [_Found(*(np.concatenate(arrays) for arrays in zip(*found, strict=True))) for found in parts]


def _nothing() -> _Found:
    return _Found(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.uint64))


def _filter(table: HashedGrams) -> npt.NDArray[np.bool_]:
    """Most n-grams are in no benchmark: one look-up in this table rules them out."""
    present = np.zeros(int(_FILTER) + 1, np.bool_)
    present[table.hashes & _FILTER] = True
    return present


def _telling(found: _Found, subjects: Numbers, boilerplate_documents: int) -> _Found:
    """Hits whose n-gram stands in fewer than `boilerplate_documents` distinct subject documents."""
    if not len(found.texts):
        return found
    distinct, numbers = np.unique(found.hashes, return_inverse=True)
    stands_in = np.unique(np.stack([numbers, subjects[found.texts]]), axis=1)
    telling = np.bincount(stands_in[0], minlength=len(distinct))[numbers] < boilerplate_documents
    return _Found(*(array[telling] for array in found))
