"""What fine-tuning is given and what it reports; its files are the adapter and the merged model."""

from pathlib import Path
from typing import Any

import msgspec

from stages.finetune.params import FinetuneParams
from stages.finetune.schema import TrainedRow
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
    rows: list[TrainedRow]  # by id
    rejects: list[Reject]
