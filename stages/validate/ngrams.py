"""Word n-grams as 64-bit hashes, computed in numpy over whole chunks of text.

Words are runs of letters and digits after Unicode normalisation and case folding, so case, line breaks,
quotation marks and invisible characters do not matter. A chunk is tokenised as one byte array: the hash of
each word is a difference of prefix sums, so no Python object is made per word (about 30 MB of text a second).
Equal n-grams have equal hashes; callers verify hits on the words themselves (`words`).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

_CHUNK_BYTES = 1 << 20  # bounds the memory: some 60 bytes of work space per byte of text
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_GRAM_BASE = np.uint64(0xD6E8FEB86659FD93)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_OTHER = re.compile(r"[\W_]")
_WORD = re.compile("[0-9a-z\u0080-\U0010ffff]+")


class Tokens(NamedTuple):
    """Word hashes of consecutive texts: text i owns `hashes[offsets[i]:offsets[i + 1]]`."""

    hashes: Hashes
    offsets: Numbers


class Grams(NamedTuple):
    """n-grams in order: hash, text index within the chunk, and word position within the text."""

    hashes: Hashes
    texts: Numbers
    positions: Numbers


def normalise(text: str) -> str:
    """Case-folded text in which everything but letters and digits separates words."""
    if not text.isascii():
        text = _OTHER.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))
    return text.casefold()


def words(text: str) -> list[str]:
    """The words that `chunks` hashes, in order."""
    return _WORD.findall(normalise(text))


def chunks(texts: Iterable[str]) -> Iterator[tuple[int, Tokens]]:
    """Yield (index of the first text, tokens) for runs of whole texts of about one megabyte."""
    first, size, batch = 0, 0, []
    for index, text in enumerate(texts):
        encoded = normalise(text).encode("utf-8", "replace")
        batch.append(encoded)
        size += len(encoded) + 1
        if size >= _CHUNK_BYTES:
            yield first, _tokenise(batch)
            first, size, batch = index + 1, 0, []
    if batch:
        yield first, _tokenise(batch)


def tokens(texts: Iterable[str]) -> Tokens:
    """All word hashes of `texts` at once."""
    parts = [part for _, part in chunks(texts)]
    counts = [np.diff(part.offsets) for part in parts]
    hashes = np.concatenate([part.hashes for part in parts]) if parts else np.empty(0, np.uint64)
    return Tokens(hashes, _offsets(np.concatenate(counts) if counts else np.empty(0, np.int64)))


def grams(part: Tokens, n: int) -> Grams:
    """Every run of `n` words that lies within one text."""
    total = len(part.hashes)
    if total < n:
        return Grams(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
    mixed = part.hashes[: total - n + 1].copy()
    for step in range(1, n):
        mixed *= _GRAM_BASE
        mixed += part.hashes[step : total - n + 1 + step]
    lengths = np.diff(part.offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    inside = np.flatnonzero(np.arange(total - n + 1) + n <= part.offsets[1:][owner[: total - n + 1]])
    owner = owner[inside]
    return Grams(_mix(mixed[inside]), owner, inside - part.offsets[owner])


def text_hashes(part: Tokens) -> Hashes:
    """One hash per text over all its words in order; texts with equal words have equal hashes."""
    lengths = np.diff(part.offsets)
    place = np.arange(len(part.hashes)) - np.repeat(part.offsets[:-1], lengths)
    weighted = part.hashes * _powers(_GRAM_BASE, int(lengths.max(initial=0)))[place]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(weighted, dtype=np.uint64)])
    return _mix(sums[part.offsets[1:]] - sums[part.offsets[:-1]] + lengths.astype(np.uint64))


def _tokenise(batch: list[bytes]) -> Tokens:
    data = np.frombuffer(b" ".join(batch) + b" ", np.uint8)
    inside = np.concatenate([np.zeros(1, np.int8), _IS_WORD[data].view(np.int8), np.zeros(1, np.int8)])
    edges = np.diff(inside)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_VALUES[data] * _powers(_BASE, len(data)), dtype=np.uint64)])
    hashes = (sums[ends] - sums[starts]) * _powers(_INVERSE, len(data))[starts]
    text_ends = np.cumsum([len(text) + 1 for text in batch])
    offsets = np.concatenate([np.zeros(1, np.int64), np.searchsorted(starts, text_ends)])
    return Tokens(_mix(hashes), offsets)


def _offsets(counts: Numbers) -> Numbers:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _mix(values: Any) -> Hashes:
    """SplitMix64 finaliser (Steele, Lea, Flood 2014): spreads nearby values over all 64 bits."""
    values = values ^ (values >> np.uint64(30))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    values = values ^ (values >> np.uint64(27))
    values = values * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


_power_tables: dict[int, Hashes] = {}


def _powers(base: np.uint64, count: int) -> Hashes:
    """base**0 .. base**(count - 1) modulo 2**64; grown as needed, kept for the next chunk."""
    table = _power_tables.get(int(base))
    if table is None or len(table) < count:
        factors = np.full(max(count, 2 * _CHUNK_BYTES), base, np.uint64)
        factors[0] = 1
        table = _power_tables[int(base)] = np.multiply.accumulate(factors)
    return table[:count]


_IS_WORD = np.zeros(256, np.bool_)
_IS_WORD[[*range(48, 58), *range(97, 123), *range(128, 256)]] = True
_VALUES = _mix(np.arange(1, 257, dtype=np.uint64) * _BASE)
