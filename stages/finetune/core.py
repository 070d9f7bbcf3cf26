"""Fine-tune a causal language model: seed, rows, tokenizer, model, trainer, train, merge, save, dev loss."""

import math
import resource
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stages.chat import IGNORED, chat_template, turn_end
from stages.errors import InputError
from stages.finetune.checkpoints import latest_checkpoint
from stages.finetune.job import Job, Outcome
from stages.finetune.model import load_model, load_tokenizer, load_trainable, merge
from stages.finetune.packing import collate, pack_columns, pack_rows
from stages.finetune.schema import LossPoint, RenderedRow, TrainedRow
from stages.finetune.select import OTHER, render_rows, select_rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer


def finetune(job: Job) -> Outcome | None:
    """Train and write the adapter, the merged 16-bit model and the loss file. None in all but the first process.

    Raises InputError for an empty train set and TrainingError for a lost loss; both name the remedy.
    """
    from transformers import set_seed

    started, params = time.perf_counter(), job.params
    if not job.train:
        raise InputError("The train set is empty.", remedy="See data/validate/rejects.parquet for what was dropped and why.")
    set_seed(params.seed)
    tokenizer = load_tokenizer(job.base)
    rendered, rejects = render_rows(job.train, tokenizer, params.max_length)
    chosen = select_rows(rendered, max_tokens=params.max_tokens, mix=params.mix, rows_per_label=params.rows_per_label)
    dev_packs = pack_rows(_dev_rows(job, tokenizer), params.pack_tokens)
    packs = pack_rows(chosen, params.pack_tokens)

    model = load_trainable(job.base, params, device=job.device, dtype=job.dtype)
    trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    loss_before = mean_loss(model, dev_packs)
    trainer = _trainer(model, packs, job)
    ready = time.perf_counter()
    steps_before = _train(trainer, job.work)
    trained = time.perf_counter()
    if not trainer.is_world_process_zero():
        return None

    _save(trainer, job, tokenizer)
    tokenizer.chat_template = chat_template(tokenizer)
    tokenizer.save_pretrained(job.merged)
    del model, trainer.model, trainer.model_wrapped
    merged = load_model(job.merged, device=job.device, dtype=job.dtype)
    loss_after = mean_loss(merged, dev_packs)

    tokens = params.epochs * sum(len(row.input_ids) for row in chosen)
    done = 1 - steps_before / max(trainer.state.global_step, 1)
    metrics = {
        "rows": len(chosen),
        "rows_per_task": dict(sorted(Counter(row.task for row in chosen).items())),
        "labels": len({(row.task, row.label) for row in chosen if row.label}),
        "rows_available": len(job.train),
        "rejected": dict(sorted(Counter(reject.reason for reject in rejects).items())),
        "tokens": tokens,
        "answer_tokens": params.epochs * sum(label != IGNORED for row in chosen for label in row.labels),
        "pack_fill": round(tokens / params.epochs / (len(packs) * params.pack_tokens), 4),
        "steps": trainer.state.global_step,
        "train_loss": _final_loss(trainer),
        "dev_rows": sum(map(len, dev_packs)),
        "dev_loss_before": loss_before,
        "dev_loss_after": loss_after,
        "trainable_parameters": trainable,
        "method": params.method,
        "dtype": job.dtype,
        "device": job.device,
    }
    timings = {
        "prepare_seconds": round(ready - started, 2),
        "train_seconds": round(trained - ready, 2),
        "merge_and_dev_seconds": round(time.perf_counter() - trained, 2),
        "tokens_per_second": round(tokens * done / (trained - ready), 1),
        "resumed_from_step": steps_before,
        **peak_memory(job.device),
    }
    trained_rows = [TrainedRow(id=row.id, task=row.task, tokens=len(row.input_ids)) for row in chosen]
    return Outcome(metrics, timings, sorted(trained_rows, key=lambda row: row.id), rejects)


def mean_loss(model: "PreTrainedModel", packs: Sequence[Sequence[RenderedRow]]) -> float | None:
    """Mean negative log-likelihood (nats) of an answer token; None without rows. Leaves the model in its mode."""
    import torch

    if not packs:
        return None
    columns = pack_columns(packs)
    was_training, total, tokens = model.training, 0.0, 0
    model.eval()
    with torch.no_grad():
        for index in range(len(packs)):
            batch = collate([{name: column[index] for name, column in columns.items()}])
            loss = model(**{name: values.to(model.device) for name, values in batch.items()}, use_cache=False).loss
            total += loss.item() * batch["labels"].numel()
            tokens += batch["labels"].numel()
    model.train(was_training)
    return round(total / tokens, 4)


def peak_memory(device: str) -> dict[str, float]:
    """Peak memory of this process in MiB, and of the GPU where one is used."""
    peaks = {"peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}
    if device == "cuda":
        import torch

        peaks["peak_vram_mib"] = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return peaks


def _dev_rows(job: Job, tokenizer: "PreTrainedTokenizerBase") -> list[RenderedRow]:
    rendered, _ = render_rows(job.dev, tokenizer, job.params.max_length)
    return select_rows(rendered, max_tokens=job.params.dev_tokens, mix={OTHER: 1.0}, rows_per_label=0) if rendered else []


def _trainer(model: "PreTrainedModel", packs: Sequence[Sequence[RenderedRow]], job: Job) -> "Trainer":
    from datasets import Dataset
    from transformers import PrinterCallback, Trainer, TrainingArguments

    from stages.finetune.callbacks import Watch

    params = job.params
    arguments = TrainingArguments(
        output_dir=str(job.work),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=params.accumulate,
        num_train_epochs=params.epochs,
        learning_rate=params.learning_rate,
        lr_scheduler_type=params.schedule,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        seed=params.seed,
        logging_strategy="steps",
        logging_steps=params.log_steps,
        logging_nan_inf_filter=False,  # the default replaces a NaN by the mean so far and trains on
        save_strategy="no",  # the callback decides by time
        save_total_limit=2,
        remove_unused_columns=False,
        use_cpu=job.device == "cpu",
        dataloader_pin_memory=job.device == "cuda",
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # several GPUs work through `accelerate launch`, never by splitting one sequence
    steps = math.ceil(len(packs) / (arguments.world_size * params.accumulate)) * params.epochs
    arguments.warmup_steps = math.ceil(params.warmup * steps)
    dataset = Dataset.from_dict(pack_columns(packs))
    trainer = Trainer(model=model, args=arguments, train_dataset=dataset, data_collator=collate)
    trainer.add_callback(Watch(params, job.loss_csv))
    trainer.remove_callback(PrinterCallback)
    return trainer


def _train(trainer: "Trainer", work: Path) -> int:
    """Train to the end; returns the step it resumed from."""
    import torch

    checkpoint = latest_checkpoint(work)
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"The device ran out of memory: {str(error).splitlines()[0]}",
            remedy="Lower finetune.pack_tokens and raise finetune.accumulate by the same factor, or use method qlora.",
        ) from error
    return int(checkpoint.name.partition("-")[2]) if checkpoint else 0


def _save(trainer: "Trainer", job: Job, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Adapter and merged model; a full fine-tune has no adapter and says so in its folder.

    The token that ends a trained answer is saved as an end token: a base model's own is often another one, and
    whoever loads the model would see it write on.
    """
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model)
    job.adapter.mkdir(parents=True, exist_ok=True)
    if job.params.method == "full":
        (job.adapter / "README.md").write_text(
            "Method `full`: every weight was trained, there is no adapter.\n", encoding="utf-8"
        )
        merged = model.to(torch.bfloat16)
    else:
        model.save_pretrained(job.adapter)
        merged = merge(job.base, job.adapter)
    merged.config.use_cache = True
    own = merged.generation_config.eos_token_id
    ends = dict.fromkeys([turn_end(tokenizer), *(own if isinstance(own, list) else [own])])
    merged.generation_config.eos_token_id = [token for token in ends if token is not None]
    merged.save_pretrained(job.merged)


def _final_loss(trainer: "Trainer") -> float:
    """Mean of the last five logged losses: a single one depends on which rows came last."""
    from stages.finetune.callbacks import loss_points

    last: list[LossPoint] = loss_points(trainer.state.log_history)[-5:]
    return round(sum(point.loss for point in last) / len(last), 4) if last else float("nan")
