"""Predictions per item: scores are computed from these and from nothing else."""

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What one system answered to one item under one protocol."""

    system: str  # base, finetuned, int8, nf4, base-few-shot, finetuned+whole; majority, longest-option, tfidf-similarity, tfidf-linear, bm25-nn
    benchmark: str
    protocol: str  # loglikelihood, option-text, generative, constrained, constrained-answer, baseline
    item_id: str
    output: str  # raw text, or the chosen option
    parsed: list[str]  # what the extractor found
    parsed_ok: bool
    correct: bool


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one system needed for one benchmark under one protocol: figures of this machine."""

    system: str
    benchmark: str
    protocol: str
    items: int
    seconds: float  # without loading
    p50_seconds: float  # what a caller waits for an item: the time of its whole batch
    p95_seconds: float
    prompt_tokens: int
    new_tokens: int
    peak_memory_mb: float  # of the process (or the GPU) since the variant was loaded; 0 for baselines
