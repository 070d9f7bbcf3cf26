"""Rows on their way through fine-tuning; `TrainedRow` is what it tells other stages."""

import msgspec


class TrainedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `data/finetune/rows.parquet`: a training row that fitted into the token budget."""

    id: str
    task: str
    tokens: int  # of prompt and answer, in one epoch


class RenderedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A training row as tokens; `input_ids` and `labels` have the same length."""

    id: str
    task: str
    family: str
    label: str  # the answer key where answers name one of many labels (ids), else empty
    input_ids: list[int]
    labels: list[int]  # -100 on the prompt


class LossPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `metrics/finetune_loss.csv`."""

    step: int
    loss: float  # mean per answer token since the last line
    learning_rate: float
