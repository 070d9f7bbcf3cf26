"""Section `finetune`: what is trained, on how many tokens, and how."""

from typing import Literal

import msgspec

from stages.config import Params


class FinetuneParams(Params):
    """What 66,000 trained tokens buy with SmolLM2-135M, LoRA r=16 (exact CWE id on development CVEs, base 0 %).

    Names of weaknesses are learned at once, their numbers only by repetition. 520 labels, 966 rows, one pass,
    rate 1e-3: 6 of 100. The 55 most frequent labels, 946 rows (17 of each), rate 2e-3: 26 of 100. Hence few labels,
    most tokens on one task, and two passes. A GPU run can afford every row: raise max_tokens and give `mix` breadth.
    """

    method: Literal["lora", "qlora", "full"] = "lora"  # qlora: base in NF4 (arXiv 2305.14314); full: every weight
    seed: int = 42
    max_tokens: int = 33_000  # prompt and answer tokens of the chosen rows; with two epochs 300 s at 220 tokens/s on two cores
    mix: dict[str, float] = msgspec.field(
        default_factory=lambda: {"cve-to-cwe": 0.9, "other": 0.1}
    )  # share of max_tokens per task or family; `other`: the rest
    rows_per_label: int = 12  # frequent answers (CWE, technique ids) first, up to so many rows each
    epochs: int = 2  # passes over the chosen rows
    max_length: int = 512  # tokens; a longer row is rejected, never cut
    pack_tokens: int = 384  # rows are packed into sequences of at most this many tokens; one sequence per device and step
    accumulate: int = 1  # sequences per device before the optimizer steps
    rank: int = 16
    alpha: int = 32  # twice the rank, as in the LoRA paper's later practice: the update is scaled by alpha / rank
    learning_rate: float = 2e-3
    schedule: Literal["linear", "cosine"] = "linear"  # both fall to zero
    warmup: float = 0.06  # share of the steps
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    explode_factor: float = 3.0  # stop when a logged loss is this many times the first one
    log_steps: int = 5
    save_seconds: float = 45.0  # a kill loses at most this much work, and log_steps steps
    dev_tokens: int = 6_000  # of the dev rows; two passes over them cost about 20 s
