"""Score every model variant and the cheap baselines on the benchmarks, with intervals and paired comparisons."""

from typing import TYPE_CHECKING

from stages.stage import stage_main

if TYPE_CHECKING:
    from stages.stage import Stage


def run(stage: "Stage") -> None:
    """See stages/evaluate/evaluate.py; imported late, so that --help is instant."""
    from stages.evaluate.evaluate import run_stage

    run_stage(stage)


if __name__ == "__main__":
    stage_main("evaluate", run, __doc__)
