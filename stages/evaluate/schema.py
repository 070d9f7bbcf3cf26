"""Predictions per item: scores are computed from these and from nothing else."""

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What one system answered to one item under one protocol."""

    system: str  # base, finetuned, int8, nf4, majority, tfidf-linear, bm25-nn, base-few-shot
    benchmark: str
    protocol: str  # loglikelihood, generative, constrained, baseline
    item_id: str
    output: str  # raw text, or the chosen option
    parsed: list[str]  # what the extractor found
    parsed_ok: bool
    correct: bool
