"""Section `benchmarks`: how many items, and how long their texts may be."""

from stages.config import Params


class BenchmarksParams(Params):
    """Sizes of the own benchmarks; a 95 % interval of an accuracy near one half is +-5 points at 400 items."""

    max_mcq_items: int = 400
    max_rcm_items: int = 400
    max_keys: int = 3  # a vulnerability with more root causes is answered by nearly any guess near it
    head: int = 120  # the first so many items are balanced over kinds and letters: a small budget scores exactly these
    max_text_words: int = 90  # four options and a text fit 300 tokens
    seed: int = 0  # another draw of distractors and order
