"""Several rows in one sequence: no padding, and no token of one row sees another row.

Positions restart at every row; the attention mask of transformers is built from these restarts. Output logits are
computed only where an answer token follows: with 49,152 outputs for 135 M parameters that saves a fifth of a step.
"""

import bisect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stages.chat import IGNORED
from stages.finetune.schema import RenderedRow

if TYPE_CHECKING:
    import torch


def pack_rows(rows: Sequence[RenderedRow], pack_tokens: int) -> list[list[RenderedRow]]:
    """Best fit: each row goes to the fullest pack that still holds it. A row longer than a pack gets its own."""
    packs: list[list[RenderedRow]] = []
    room: list[tuple[int, int]] = []  # sorted (free tokens, index of the pack)
    for row in rows:
        length = len(row.input_ids)
        place = bisect.bisect_left(room, (length, -1))
        free, index = room.pop(place) if place < len(room) else (pack_tokens, len(packs))
        if index == len(packs):
            packs.append([])
        packs[index].append(row)
        if free > length:
            bisect.insort(room, (free - length, index))
    return packs


def pack_columns(packs: Sequence[Sequence[RenderedRow]]) -> dict[str, list[list[int]]]:
    """Columns of a `datasets.Dataset`, one entry per pack; `labels[i]` is the token that should follow position i."""
    return {
        "input_ids": [[token for row in pack for token in row.input_ids] for pack in packs],
        "position_ids": [[position for row in pack for position in range(len(row.input_ids))] for pack in packs],
        "labels": [[label for row in pack for label in [*row.labels[1:], IGNORED]] for pack in packs],
    }


def collate(packs: Sequence[dict[str, list[int]]]) -> dict[str, "torch.Tensor"]:
    """The model's inputs for one pack, shapes (1, tokens) and (1, answer tokens)."""
    import torch

    if len(packs) != 1:
        raise ValueError("One pack is one batch: raise pack_tokens, not the batch size.")
    pack: dict[str, Any] = packs[0]
    kept = [place for place, label in enumerate(pack["labels"]) if label != IGNORED]
    labels = torch.tensor([[pack["labels"][place] for place in kept]])
    return {
        "input_ids": torch.tensor([pack["input_ids"]]),
        "position_ids": torch.tensor([pack["position_ids"]]),
        "logits_to_keep": torch.tensor(kept),
        "labels": labels,
        "shift_labels": labels,  # already shifted: the model must not shift again
    }
