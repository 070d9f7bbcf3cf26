"""What the stage and its smoke test, a process of its own, say to each other (as JSON files)."""

import msgspec


class SmokeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Load `folder` and try it."""

    folder: str
    prompts: list[str]
    new_tokens: int
    speed_tokens: int
    device: str
    dtype: str
    reference: list[list[int]]  # token ids with which the 16-bit model continued each prompt; empty: this is that model


class SmokeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    texts: list[str]  # greedy continuations
    tokens: list[list[int]]
    finite: bool  # no logit was NaN or infinite
    agreement: float  # share of positions of `reference` where the most probable token is the same
    load_seconds: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    peak_rss_mib: float
    peak_vram_mib: float
