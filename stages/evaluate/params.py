"""Section `evaluate`: which system answers which benchmark under which protocol, and how scores are compared."""

from typing import Literal, get_args

from msgspec import field

from stages.config import Params
from stages.variants import VARIANTS, Variant

Baseline = Literal["majority", "longest-option", "tfidf-similarity", "tfidf-linear", "bm25-nn"]
Protocol = Literal["loglikelihood", "option-text", "generative", "constrained", "constrained-answer"]
Variation = Literal["none", "steps", "rules", "whole", "reordered"]


class Run(Params):
    """One benchmark under one protocol, for several model variants on the same items."""

    benchmark: str
    protocol: Protocol
    systems: list[Variant]
    items: int = 120  # the first of the table, whose prefixes are fair samples; 0 means all
    shots: int = 0  # training examples in the prompt, the nearest by BM25; the system is then named `<variant>-few-shot`
    format: Variation = (
        "none"  # parts of the task's reasoning format after the question; the system is named `<variant>+<format>`
    )
    max_new_tokens: int = 48  # generative only; enough for template answers (about 40), far too few for rewritten ones


RUNS = (
    Run(benchmark="secforge-mcq", protocol="loglikelihood", systems=list(VARIANTS)),
    Run(benchmark="secforge-rcm", protocol="generative", systems=list(VARIANTS)),
    Run(benchmark="secforge-rcm", protocol="constrained-answer", systems=["base", "finetuned", "int8", "nf4"]),
    Run(benchmark="secforge-mcq", protocol="option-text", systems=["base", "finetuned"]),
    Run(benchmark="secforge-mcq", protocol="constrained", systems=["base"], items=60, shots=2),
    Run(benchmark="secforge-rcm", protocol="constrained", systems=["base"], items=60, shots=3),
)


class EvaluateParams(Params):
    """How variants are scored. Per variant and 120 items two idle cores take about 10 s for letters or texts, 20 s for generation."""

    runs: list[Run] = field(default_factory=lambda: list(RUNS))
    baselines: list[Baseline] = field(default_factory=lambda: list(get_args(Baseline)))
    baseline_items: int = 120  # per benchmark; equal to the runs' `items`, so that the same items are compared
    answer_prefix: str = "Final answer:"  # what the training answers write before the key; letters are scored after it
    likelihood_batch: int = 16  # questions per forward; prefill falls from 1,745 to 1,130 tokens/s at 8 (two cores)
    generation_batch: int = 32  # prompts per generation; 262 tokens/s at 32, 212 at 16, 207 at 60 (two cores)
    shot_characters: int = 900  # longer training rows are no few-shot examples: prefill is what few-shot costs
    confidence: float = 0.95
    resamples: int = 10000  # of the paired bootstrap
    seed: int = 17  # of the bootstrap and of the linear baseline
