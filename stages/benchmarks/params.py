"""Section `benchmarks`: how many items, and how long their texts may be."""

import msgspec

from stages.config import Params

SIZES = {
    "secforge-mcq": 400,
    "secforge-rcm": 400,
    "secforge-rcm-temporal": 400,
    "secforge-ticket-cwe": 400,
    "secforge-adversarial-cti": 24,  # each costs six questions to the small model: a second on two cores
    "secforge-detect-mitigate": 400,
    "secforge-relations": 400,
    "secforge-weakness-impact": 400,
}


class AdversarialParams(Params):
    """Which wrong options are kept: those that a small model believes most (method of arXiv 2408.09304)."""

    candidates: int = 6  # nearest wrong options that the model is asked about; three are kept
    batch: int = 8  # questions per forward pass


class BenchmarksParams(Params):
    """Sizes of the own benchmarks; a 95 % interval of an accuracy near one half is +-5 points at 400 items."""

    max_items: dict[str, int] = msgspec.field(default_factory=dict)  # by benchmark, instead of the sizes in the code; 0: none
    max_keys: int = 3  # a vulnerability with more root causes is answered by nearly any guess near it
    head: int = 120  # the first so many items are balanced over kinds and letters: a small budget scores exactly these
    max_text_words: int = 90  # four options and a text fit 300 tokens
    temporal_after: str = ""  # ISO date, equal to graph.split.heldout_after: later CVEs are a benchmark of their own
    adversarial: AdversarialParams = AdversarialParams()
    seed: int = 0  # another draw of distractors and order

    def __post_init__(self) -> None:
        unknown = sorted(set(self.max_items) - set(SIZES))
        if unknown:
            raise ValueError(f"`max_items` names no own benchmark with {', '.join(unknown)}; there are {', '.join(SIZES)}")

    def size(self, benchmark: str) -> int:
        """The most items of a benchmark."""
        return self.max_items.get(benchmark, SIZES[benchmark])
