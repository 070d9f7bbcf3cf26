"""Train a LoRA adapter on the training rows and merge it. On several GPUs: `accelerate launch -m stages.finetune`."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    from stages.finetune.run import read_job, write_outcome
    from stages.finetune.train import finetune

    job = read_job(stage)
    outcome = finetune(job)
    if outcome is not None:  # None in the helper processes of `accelerate launch`
        write_outcome(stage, job, outcome)


if __name__ == "__main__":
    stage_main("finetune", run, __doc__)
