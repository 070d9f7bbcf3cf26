"""What two texts specifically share: the names, numbers and rare words that neighbours in topic lack and paraphrases keep."""

import math
from collections import Counter
from collections.abc import Iterable

from stages.validate.ngrams import words

_STEM = 6  # letters of a word that count: `overwrites` and `overwriting` are one stem


class Weights:
    """Stems weigh by how rare they are among some texts: the logarithm of texts by texts that have it, at least some."""

    def __init__(self, texts: Iterable[str]) -> None:
        kept = [stems(text) for text in texts]
        self._texts = len(kept) + 1
        self._having = Counter(stem for one in kept for stem in one)

    def shared(self, one: frozenset[str], other: frozenset[str]) -> float:
        """Weight of the stems of both by the weight of those of the lighter text: 0 to 1."""
        lighter = min(self._sum(one), self._sum(other))
        return self._sum(one & other) / lighter if lighter else 0.0

    def _sum(self, chosen: frozenset[str]) -> float:
        return sum(math.log(1 + self._texts / (1 + self._having[stem])) for stem in sorted(chosen))


def stems(text: str) -> frozenset[str]:
    """The different words of a text, each cut to its beginning."""
    return frozenset(word[:_STEM] for word in words(text))
