"""Attention of the embedded model on a CPU, where torch's own kernel is slow in two cases.

Measured on two cores with avx512_bf16, 8 prompts of 1,000 tokens, 9 heads of 64: causal prefill in bf16 with a
padding mask 68 ms per layer and row, in fp32 without one 21 ms; one decoding step over grouped heads 7.4 ms,
as a plain product over the three key heads 0.4 ms. So prompts are read one by one, without padding, in fp32
attention, and steps use the product.
"""

from collections.abc import Sequence
from typing import Any

NAME = "secforge_cpu"


def suits(model_config: Any) -> bool:
    """Whether this attention computes what the model means: full causal attention in every layer."""
    kinds = set(getattr(model_config, "layer_types", None) or ["full_attention"])
    return model_config.model_type in ("llama", "qwen2", "qwen3", "mistral") and kinds == {"full_attention"} and not getattr(
        model_config, "sliding_window", None
    )  # fmt: skip


def register() -> str:
    """Make the attention known to transformers; returns its name."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    return NAME


def attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None, **_: Any
) -> tuple[Any, None]:
    """Shapes: query (batch, heads, length, size); key, value (batch, key heads, keys, size); additive mask (batch, 1, 1, keys).

    Without a mask the query is a whole prompt. Returns (batch, length, heads, size).
    """
    import torch

    if attention_mask is None:
        groups = query.shape[1] // key.shape[1]
        result = torch.nn.functional.scaled_dot_product_attention(
            query.float(),
            key.float().repeat_interleave(groups, dim=1),
            value.float().repeat_interleave(groups, dim=1),
            is_causal=query.shape[2] > 1,
            scale=scaling,
        ).to(query.dtype)
    else:
        packed = query.view(query.shape[0], key.shape[1], -1, query.shape[-1])
        weights = (packed @ key.transpose(-1, -2)).float() * scaling + attention_mask
        result = (torch.softmax(weights, dim=-1).to(query.dtype) @ value).reshape(query.shape)
    return result.transpose(1, 2).contiguous(), None


def roomy_cache(states: Sequence[tuple[Any, Any]], room: int) -> Any:
    """A cache of keys and values, one pair per layer, with space for `room` more tokens.

    The library's cache copies everything for each new token: 6 GB of memory traffic per second at 8 x 1,000 tokens.
    """
    import torch
    from transformers.cache_utils import Cache, DynamicLayer

    class RoomyLayer(DynamicLayer):
        def __init__(self, keys: Any, values: Any) -> None:
            super().__init__()
            self.lazy_initialization(keys, values)
            self.space = [torch.nn.functional.pad(one, (0, 0, 0, room)) for one in (keys, values)]
            self._show(keys.shape[2])

        def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
            length = self.keys.shape[2] + key_states.shape[2]
            for space, fresh in zip(self.space, (key_states, value_states), strict=True):
                space[:, :, length - fresh.shape[2] : length] = fresh
            self._show(length)
            return self.keys, self.values

        def batch_select_indices(self, indices: Any) -> None:
            self.space = [space[indices] for space in self.space]
            self._show(self.keys.shape[2])

        def _show(self, length: int) -> None:
            self.keys, self.values = (space[:, :, :length] for space in self.space)

    return Cache(layers=[RoomyLayer(keys, values) for keys, values in states])
