"""What fine-tuning hands from one step to the next; its files are the adapter and the merged model."""

from pathlib import Path
from typing import Any

import msgspec

from stages.finetune.params import FinetuneParams
from stages.tables import Reject
from stages.validate.schema import TrainingRow


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run: rows, how to train, where to read and write."""

    params: FinetuneParams
    train: list[TrainingRow]
    dev: list[TrainingRow]
    base: Path  # Hugging Face folder
    work: Path  # checkpoints of an unfinished run
    adapter: Path
    merged: Path
    loss_csv: Path
    device: str  # cpu, cuda
    dtype: str  # bfloat16, float32


class Outcome(msgspec.Struct, frozen=True):
    """What a run reports."""

    metrics: dict[str, Any]
    timings: dict[str, float]
    rejects: list[Reject]


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
