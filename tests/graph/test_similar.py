"""Similar pairs: every one is found, as comparing all pairs would find it."""

import random
import re
from itertools import combinations

import pytest

from stages.graph import similar
from stages.graph.similar import similar_pairs


def shingles(text: str, size: int) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + size]) for at in range(max(1, len(words) - size + 1))) if words else frozenset()


def brute(texts: list[str], size: int, threshold: float) -> set[tuple[int, int]]:
    sets = [shingles(text, size) for text in texts]
    return {
        (i, j)
        for i, j in combinations(range(len(sets)), 2)
        if sets[i] and len(sets[i] & sets[j]) >= threshold * len(sets[i] | sets[j])
    }


def connected(pairs: set[tuple[int, int]], count: int) -> list[int]:
    leader = list(range(count))
    for _ in range(count):
        for one, other in pairs:
            leader[one] = leader[other] = min(leader[one], leader[other])
    return leader


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
def test_the_index_misses_nothing(threshold: float) -> None:
    rng = random.Random(5)
    texts = [" ".join(rng.choice("abcd") for _ in range(rng.randrange(0, 12))) for _ in range(120)]
    found = {tuple(sorted(pair)) for pair in similar_pairs(texts, 2, threshold)}
    expected = brute(texts, 2, threshold)
    assert found <= expected and connected(found, 120) == connected(expected, 120)


def test_short_and_empty_texts() -> None:
    assert list(similar_pairs(["", "...", "One word", "one WORD!", "word one"], 3, 0.5)) == [(2, 3)]


def test_more_sets_than_one_block_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(6)
    texts = [" ".join(rng.choice("abcdef") for _ in range(rng.randrange(1, 9))) for _ in range(100)]
    whole = list(similar_pairs(texts, 3, 0.5))
    monkeypatch.setattr(similar, "BLOCK", 7)
    assert list(similar_pairs(texts, 3, 0.5)) == whole and len(whole) > 10


def test_a_text_shorter_than_a_shingle_is_like_no_longer_one() -> None:
    assert list(similar_pairs(["a b", "a b c", "A, B", "b a"], 3, 0.1)) == [(0, 2)]
    assert list(similar_pairs([], 3, 0.5)) == list(similar_pairs(["", "."], 3, 0.5)) == []
