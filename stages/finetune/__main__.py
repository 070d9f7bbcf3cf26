"""Train a LoRA adapter on the training rows and merge it. On several GPUs: `accelerate launch -m stages.finetune`."""

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.finetune.run`, loaded only when the stage runs."""
    from stages.finetune.run import run_finetune

    run_finetune(stage)


if __name__ == "__main__":
    stage_main("finetune", run, __doc__)
