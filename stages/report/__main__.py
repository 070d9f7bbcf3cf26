"""One HTML page for people: what was built, how good it is, and what was thrown away and why.

`python -m stages.report compare --help` compares the builds of two git revisions, for a pull request.
"""

import importlib
import sys

from stages.stage import Stage, stage_main

COMMANDS = ("compare",)  # modules of this package


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.report.run`, loaded only when the stage runs."""
    from stages.report.run import run_report

    run_report(stage)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        sys.exit(importlib.import_module(f"stages.report.{sys.argv[1]}").main(sys.argv[2:]))
    stage_main("report", run, __doc__)
