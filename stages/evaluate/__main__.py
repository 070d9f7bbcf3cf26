"""Score every model variant and the cheap baselines on the benchmarks, with intervals and paired comparisons.

`python -m stages.evaluate COMMAND --help`, of which COMMAND is
score: score responses that any model produced elsewhere on a public benchmark;
run: ask a model the items of a public benchmark, and go on where a killed run stopped;
baselines: what cheap systems score there, beside a model's responses.
"""

import importlib
import sys

from stages.stage import Stage, stage_main

COMMANDS = ("baselines", "run", "score")  # modules of stages.public_benchmarks, which the stage does not read


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.evaluate.run`, loaded only when the stage runs."""
    from stages.evaluate.run import run_evaluate

    run_evaluate(stage)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        sys.exit(importlib.import_module(f"stages.public_benchmarks.{sys.argv[1]}").main(sys.argv[2:]))
    stage_main("evaluate", run, __doc__)
