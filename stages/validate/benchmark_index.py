"""Benchmark items prepared for overlap search: identifiers, and the n-grams of each item's own words.

An item's own words are those of its question without option texts, without lines that many items share, and
without a beginning or an end that many items share. What is shared further inside stays, so that the words keep
their neighbours, but n-grams that many items hold are common language and tell nothing.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from stages.benchmarks.schema import BenchmarkItem
from stages.validate.ngrams import Grams, Hashes, Numbers, Tokens, grams, tokens, words
from stages.validate.params import DecontaminationParams

_CVE = re.compile("cve[-_\u2010-\u2015 ]?([0-9]{4})[-_\u2010-\u2015 ]([0-9]{4,7})(?![0-9])")  # also as typesetting hyphenates it
_UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f])")  # of a Sigma rule
_ID = re.compile(r"[A-Za-z]{1,8}[-. ]?[0-9][0-9.\-]*")  # CWE-79, T1059.001, 42
_ANSWER_WORDS = 30  # a longer answer is an essay, and its sentences are no part of the question


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark item as decontamination sees it. An ATT&CK or CWE id is shared vocabulary, never an identifier."""

    id: str
    benchmark: str
    subject: str  # items about one subject count once when asking what is common language
    text: str  # the question without option texts
    identifiers: frozenset[str]  # `CVE-2021-44228`, rule uuids
    answer: str = ""  # the text of the right answer, where it is known and more than a letter or an id


class GramTable(msgspec.Struct, frozen=True):
    """n-grams of items by hash: entry k of `hashes` (sorted, repeated per item) is at own word `positions[k]` of item `items[k]`."""

    n: int
    rule: str  # 13-gram, 8-gram, whole-text, near-duplicate
    hashes: Hashes
    items: Numbers
    positions: Numbers


class BenchmarkIndex(msgspec.Struct, frozen=True):
    """Everything that a row is compared with."""

    items: Sequence[Item]
    own_words: list[list[str]]
    tables: list[GramTable]
    shingles: list[GramTable]  # one table of short runs, by which near-duplicates are told; none where no item is long enough
    by_identifier: dict[str, list[int]]  # identifier -> indexes of items
    unsearchable: list[int]  # items with no telling n-gram and no identifier: nothing could find them


def identifiers_in(text: str) -> set[str]:
    """CVE ids and rule uuids named in `text`, in one spelling."""
    plain = text.casefold()
    found = {f"CVE-{year}-{number}" for year, number in _CVE.findall(plain)} if "cve" in plain else set()
    return found | set(_UUID.findall(plain)) if plain.count("-") >= 4 else found


def own_items(rows: Iterable[BenchmarkItem]) -> list[Item]:
    """Items of the own benchmarks; option texts are common vocabulary and left out."""
    items = []
    for row in rows:
        text = _without_options(row.question, row.options)
        named = frozenset(identifiers_in(f"{text}\n{row.subject}"))
        answer = answer_text(dict(zip("ABCDEFGHIJ", row.options, strict=False)), row.key[0] if len(row.key) == 1 else "")
        items.append(Item(id=row.id, benchmark=row.benchmark, subject=row.subject, text=text, identifiers=named, answer=answer))
    return items


def answer_text(options: Mapping[str, str], key: str) -> str:
    """The option that `key` names, or `key` itself if it is a text of its own; empty for letters, numbers and ids."""
    text = (options.get(key.strip(), "") or key).strip()
    if _ID.fullmatch(text):
        return ""
    return text if 2 <= len(words(text)) <= _ANSWER_WORDS or (len(text) > 3 and text.isalpha()) else ""


def build_index(items: Sequence[Item], params: DecontaminationParams) -> BenchmarkIndex:
    """Index `items`. Long ones by `ngram` words, short ones by `short_ngram`, the shortest by all their words in a row."""
    texts = _without_common_lines(items, params.boilerplate_documents)
    part = tokens(texts)
    subjects = _subject_numbers(items)
    own = ~_prompt_words(part, subjects, params)
    stripped = Tokens(part.hashes[own], np.concatenate([[0], np.cumsum(own)])[part.offsets])
    tables = _tables(stripped, subjects, params)
    shingles = _shingles(stripped, subjects, params)
    by_identifier = _identifier_index(items)
    found = {number for numbers in by_identifier.values() for number in numbers}.union(
        *(table.items.tolist() for table in [*tables, *shingles])
    )
    unsearchable = [number for number in range(len(items)) if number not in found]
    return BenchmarkIndex(items, _words(texts, part, own), tables, shingles, by_identifier, unsearchable)


def gram_tables(index: BenchmarkIndex, lengths: Sequence[int], params: DecontaminationParams) -> list[GramTable]:
    """Tables of other n-grams of the items' own words, those with entries; items with fewer words are in none."""
    part, subjects = tokens([" ".join(own) for own in index.own_words]), _subject_numbers(index.items)
    everyone = np.ones(len(index.items), np.bool_)
    tables = [_gram_table(part, n, f"{n}-gram", everyone, subjects, params.boilerplate_documents) for n in lengths]
    return [table for table in tables if len(table.hashes)]


def _words(texts: Sequence[str], part: Tokens, own: npt.NDArray[np.bool_]) -> list[list[str]]:
    bounds = part.offsets.tolist()
    return [
        [word for word, mine in zip(words(text), own[bounds[number] : bounds[number + 1]], strict=True) if mine]
        for number, text in enumerate(texts)
    ]


def _tables(stripped: Tokens, subjects: Numbers, params: DecontaminationParams) -> list[GramTable]:
    """One table per n-gram length in use, longest first."""
    lengths = np.diff(stripped.offsets)
    short, tiny = lengths < params.short_words, lengths < params.short_ngram
    kinds = [(params.ngram, f"{params.ngram}-gram", ~short), (params.short_ngram, f"{params.short_ngram}-gram", short & ~tiny)]
    kinds += [(n, "whole-text", lengths == n) for n in range(params.short_ngram - 1, params.whole_words - 1, -1)]
    tables = [_gram_table(stripped, n, rule, members, subjects, params.boilerplate_documents) for n, rule, members in kinds]
    return [table for table in tables if len(table.hashes)]


def _shingles(stripped: Tokens, subjects: Numbers, params: DecontaminationParams) -> list[GramTable]:
    long_enough = np.diff(stripped.offsets) >= params.near_words
    table = _gram_table(stripped, params.near_shingle, "near-duplicate", long_enough, subjects, params.boilerplate_documents)
    return [table] if len(table.hashes) else []


def _gram_table(
    stripped: Tokens, n: int, rule: str, members: npt.NDArray[np.bool_], subjects: Numbers, shared_by: int
) -> GramTable:
    found = grams(stripped, n)
    keep = members[found.texts] & ~_common(found, subjects, shared_by)
    hashes, items, positions = found.hashes[keep], found.texts[keep], found.positions[keep]
    order = np.lexsort((positions, items, hashes))
    return GramTable(n, rule, hashes[order], items[order], positions[order])


def _common(found: Grams, subjects: Numbers, shared_by: int) -> npt.NDArray[np.bool_]:
    """Per n-gram whether items about `shared_by` or more subjects hold it."""
    distinct, numbers = np.unique(found.hashes, return_inverse=True)
    pairs = np.unique(np.stack([numbers, subjects[found.texts]]), axis=1)
    return (np.bincount(pairs[0], minlength=len(distinct)) >= shared_by)[numbers]


def _prompt_words(part: Tokens, subjects: Numbers, params: DecontaminationParams) -> npt.NDArray[np.bool_]:
    """Per word of all items: whether it belongs to a beginning or an end that items about many subjects share."""
    found = grams(part, params.short_ngram)
    starts = (part.offsets[found.texts] + found.positions)[_common(found, subjects, params.boilerplate_documents)]
    change = np.zeros(len(part.hashes) + 1, np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, starts + params.short_ngram, -1)
    shared = np.cumsum(change[:-1]) > 0
    prompt = np.zeros(len(shared), np.bool_)
    for start, end in itertools.pairwise(part.offsets.tolist()):
        own = np.flatnonzero(~shared[start:end])
        first, last = (int(own[0]), int(own[-1]) + 1) if len(own) else (end - start, end - start)
        prompt[start : start + first] = prompt[start + last : end] = True
    return prompt


def _subject_numbers(items: Sequence[Item]) -> Numbers:
    numbers = {subject: number for number, subject in enumerate(sorted({item.subject for item in items}))}
    return np.array([numbers[item.subject] for item in items], np.int64)


def _without_common_lines(items: Sequence[Item], shared_by: int) -> list[str]:
    """Texts without the lines that items about `shared_by` subjects have: short instructions, option letters."""
    lines = [[(line, " ".join(words(line))) for line in item.text.splitlines()] for item in items]
    pairs = {(plain, item.subject) for item, own in zip(items, lines, strict=True) for _, plain in own}
    counts = Counter(plain for plain, _ in pairs)
    return ["\n".join(line for line, plain in own if counts[plain] < shared_by) for own in lines]


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
