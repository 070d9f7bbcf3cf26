"""The edges of fine-tuning: what a run is given, and where its results go."""

from pathlib import Path

from stages.base.location import model_hash, resolve_base
from stages.finetune.job import Job, Outcome
from stages.finetune.params import FinetuneParams
from stages.finetune.schema import TrainedRow
from stages.hardware import choose_device, choose_dtype, quiet_libraries, set_threads
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.validate.schema import TrainingRow

TRAIN, DEV, BASE = "data/validate/train.parquet", "data/validate/dev.parquet", Path("models/base")
ADAPTER, MERGED = Path("models/finetune/adapter"), Path("models/finetune/merged")


def run_finetune(stage: Stage) -> None:
    """Read, train, write; the helper processes of `accelerate launch` write nothing."""
    from stages.finetune.core import finetune

    job = read_job(stage)
    outcome = finetune(job)
    if outcome is not None:
        write_outcome(stage, job, outcome)


def read_job(stage: Stage) -> Job:
    """Params, rows, device and folders. The work folder is found again by equal params, code, rows, base weights and dtype."""
    params, runtime = stage.section("finetune", FinetuneParams), stage.section("runtime", RuntimeParams)
    set_threads(runtime.threads)
    quiet_libraries()
    device = choose_device(runtime.device)
    dtype = choose_dtype(runtime.dtype, device)
    stage.config["base_model_sha256"] = model_hash(BASE)
    return Job(
        params=params,
        train=stage.read(TRAIN, TrainingRow),
        dev=stage.read(DEV, TrainingRow),
        base=resolve_base(BASE),
        work=stage.work(TRAIN, DEV, resolved=[device, dtype]),
        adapter=ADAPTER,
        merged=MERGED,
        loss_csv=Path("metrics/finetune_loss.csv"),
        device=device,
        dtype=dtype,
    )


def write_outcome(stage: Stage, job: Job, outcome: Outcome) -> None:
    """Rows trained on, rejects, metrics, timings and the manifest with the hash of every model file."""
    stage.write("data/finetune/rows.parquet", outcome.rows, TrainedRow)
    stage.write_rejects("data/finetune/rejects.parquet", outcome.rejects)
    for folder in (job.adapter, job.merged):
        for file in sorted(path for path in folder.iterdir() if path.is_file()):
            stage.record(str(file))
    stage.metrics(outcome.metrics)
    stage.timings(outcome.timings)
    stage.finish(
        {"train rows": len(job.train), "dev rows": len(job.dev)},
        {"rows trained": outcome.metrics["rows"], "steps": outcome.metrics["steps"]},
    )
