"""What happens beside the training steps: loss file, checkpoints by time, and stopping when the loss is lost."""

import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from stages.errors import SecForgeError
from stages.finetune.checkpoints import seal
from stages.finetune.model import LOWER_RATE
from stages.finetune.params import FinetuneParams
from stages.finetune.schema import LossPoint
from stages.progress import progress
from stages.tables import write_text


class TrainingError(SecForgeError):
    """Training cannot go on."""


class Watch(TrainerCallback):
    """Follows one training run.

    Checkpoints fall only on logged steps, so that the mean losses of a resumed run equal those of an undisturbed one.
    """

    def __init__(self, params: FinetuneParams, loss_file: Path) -> None:
        self.params, self.loss_file = params, loss_file
        self.saved_at = time.monotonic()
        self.bar: Any = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.saved_at = time.monotonic()
        self.bar = progress(total=state.max_steps, label="train", unit="steps")
        self.bar.update(state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.bar.update(1)
        due = time.monotonic() - self.saved_at >= self.params.save_seconds
        if state.global_step % self.params.log_steps == 0 and state.global_step < state.max_steps:
            control.should_save = _as_first_process_says(due)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, float], **_: Any
    ) -> None:
        points = loss_points(state.log_history)
        if "loss" in logs:
            check_loss(points, self.params.explode_factor)
        if state.is_world_process_zero:
            write_loss_csv(self.loss_file, points)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.saved_at = time.monotonic()
        if state.is_world_process_zero:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.bar.close()


def loss_points(log_history: Iterable[dict[str, float]]) -> list[LossPoint]:
    """The logged losses of a run, each step once; a checkpoint carries those before it."""
    return [
        LossPoint(step=int(entry["step"]), loss=float(entry["loss"]), learning_rate=float(entry["learning_rate"]))
        for entry in log_history
        if "loss" in entry
    ]


def check_loss(points: list[LossPoint], explode_factor: float) -> None:
    """Raise TrainingError if the last loss is not finite, or has left the range that training can come back from."""
    first, last = points[0].loss, points[-1]
    if not math.isfinite(last.loss):
        raise TrainingError(f"The training loss is {last.loss} at step {last.step}.", remedy=LOWER_RATE)
    limit = explode_factor * max(first, 1.0)
    if last.loss > limit:
        raise TrainingError(
            f"The training loss has grown from {first:.3f} to {last.loss:.3f} at step {last.step}.",
            allowed=f"at most {limit:.3f} (finetune.explode_factor {explode_factor:g})",
            remedy=LOWER_RATE,
        )


def write_loss_csv(path: Path, points: Iterable[LossPoint]) -> None:
    """`step,loss,learning_rate`, written whole each time: a resumed run cannot double a step."""
    lines = [f"{point.step},{point.loss:.4f},{point.learning_rate:.6g}" for point in points]
    write_text(path, "\n".join(["step,loss,learning_rate", *lines]) + "\n")


def _as_first_process_says(decision: bool) -> bool:
    """One decision for all processes of `accelerate launch`: their clocks differ, and a checkpoint needs them all."""
    from accelerate.utils import broadcast_object_list

    return bool(broadcast_object_list([decision])[0])
