"""Benchmark items prepared for overlap search: their identifiers and their telling n-grams."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from stages.benchmarks.schema import BenchmarkItem
from stages.validate.ngrams import Hashes, Numbers, Tokens, grams, tokens, words
from stages.validate.params import DecontaminationParams

_IDENTIFIER = re.compile(
    r"\bCVE[-_\u2010-\u2015 ]?(\d{4})[-_\u2010-\u2015 ](\d{4,7})\b"  # also as hyphenated by typesetting
    r"|\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",  # of a Sigma rule
    re.IGNORECASE,
)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark item as decontamination sees it. An ATT&CK or CWE id is shared vocabulary, never an identifier."""

    id: str
    benchmark: str
    subject: str  # items about one subject count once when asking what is common language
    text: str  # the question without option texts
    identifiers: frozenset[str]  # `CVE-2021-44228`, rule uuids


class GramTable(msgspec.Struct, frozen=True):
    """n-grams of items by hash: entry k of `hashes` (sorted, repeated per item) is at word `positions[k]` of item `items[k]`."""

    n: int
    hashes: Hashes
    items: Numbers
    positions: Numbers


class BenchmarkIndex(msgspec.Struct, frozen=True):
    """Everything that a row is compared with."""

    items: Sequence[Item]
    word_counts: Numbers  # of each item's text
    tables: list[GramTable]  # for 13-grams and for the 8-grams of short items
    by_identifier: dict[str, list[int]]  # identifier -> indexes of items
    prompt_grams: int  # distinct n-grams left out because many items share them
    without_grams: list[int]  # items that only their identifier or whole text can find


def identifiers_in(text: str) -> set[str]:
    """CVE ids and rule uuids named in `text`, in one spelling."""
    return {
        f"CVE-{match[1]}-{match[2]}" if match[1] else match[3].lower()
        for match in _IDENTIFIER.finditer(text)
    }  # fmt: skip


def own_items(rows: Iterable[BenchmarkItem]) -> list[Item]:
    """Items of the own benchmarks; option texts and option lines are common vocabulary and left out."""
    items = []
    for row in rows:
        text = _without_options(row.question, row.options)
        named = frozenset(identifiers_in(f"{text}\n{row.subject}"))
        items.append(Item(id=row.id, benchmark=row.benchmark, subject=row.subject, text=text, identifiers=named))
    return items


def build_index(items: Sequence[Item], params: DecontaminationParams) -> BenchmarkIndex:
    """Index `items`; n-grams that items about `boilerplate_documents` subjects share belong to the prompt."""
    part = tokens([item.text for item in items])
    counts = np.diff(part.offsets)
    numbers = {subject: number for number, subject in enumerate(sorted({item.subject for item in items}))}
    subjects = np.array([numbers[item.subject] for item in items], np.int64)
    prompt = _prompt_words(part, subjects, params)
    tables, left_out = [], 0
    for n, members in ((params.ngram, counts >= params.short_words), (params.short_ngram, counts < params.short_words)):
        table, common = _gram_table(part, n, np.flatnonzero(members), prompt)
        tables.append(table)
        left_out += common
    have = np.unique(np.concatenate([table.items for table in tables]))
    missing = np.setdiff1d(np.arange(len(items)), have)
    return BenchmarkIndex(items, counts, tables, _identifier_index(items), left_out, missing.tolist())


def whole_texts(index: BenchmarkIndex) -> dict[str, int]:
    """Normalised text of items without n-grams -> item: only an equal instruction is a hit for these."""
    texts = {" ".join(words(index.items[number].text)): number for number in reversed(index.without_grams)}
    texts.pop("", None)
    return texts


def _prompt_words(part: Tokens, subjects: Numbers, params: DecontaminationParams) -> npt.NDArray[np.bool_]:
    """Per word of all items: whether it stands in a short n-gram that items about many subjects share."""
    found = grams(part, params.short_ngram)
    distinct, numbers = np.unique(found.hashes, return_inverse=True)
    pairs = np.unique(np.stack([numbers, subjects[found.texts]]), axis=1)
    common = np.bincount(pairs[0], minlength=len(distinct)) >= params.boilerplate_documents
    starts = (part.offsets[found.texts] + found.positions)[common[numbers]]
    change = np.zeros(len(part.hashes) + 1, np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, starts + params.short_ngram, -1)
    return np.cumsum(change[:-1]) > 0


def _gram_table(part: Tokens, n: int, members: Numbers, prompt: npt.NDArray[np.bool_]) -> tuple[GramTable, int]:
    """The table of `members`' n-grams with mostly words of their own, and how many distinct ones were left out."""
    found = grams(part, n)
    mine = np.isin(found.texts, members)
    hashes, items, positions = found.hashes[mine], found.texts[mine], found.positions[mine]
    before = np.concatenate([[0], np.cumsum(prompt)])
    starts = part.offsets[items] + positions
    own = 2 * (before[starts + n] - before[starts]) < n
    left_out = len(np.unique(hashes[~own]))
    hashes, items, positions = hashes[own], items[own], positions[own]
    order = np.lexsort((positions, items, hashes))
    return GramTable(n, hashes[order], items[order], positions[order]), left_out


def _without_options(question: str, options: Sequence[str]) -> str:
    """The question without the last mention of each option text; a word of the question stays."""
    for option in sorted(options, key=len, reverse=True):
        before, found, after = question.rpartition(option)
        question = f"{before}\n{after}" if found else question
    return question


def _identifier_index(items: Sequence[Item]) -> dict[str, list[int]]:
    """Identifier -> items; one that most items name stands in an example of the prompt."""
    counts = Counter(name for item in items for name in item.identifiers)
    index: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        for name in sorted(item.identifiers):
            if counts[name] < 5 or counts[name] <= len(items) / 2:
                index.setdefault(name, []).append(number)
    return index
