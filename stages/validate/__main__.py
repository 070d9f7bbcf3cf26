"""Check every table, remove unsafe, contaminated and duplicate rows, and describe the data set.

`python -m stages.validate contamination --help`: look for benchmark items in any file of rows.
"""

import sys

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.validate.run`, loaded only when the stage runs."""
    from stages.validate.run import run_validate

    run_validate(stage)


if __name__ == "__main__":
    if sys.argv[1:2] == ["contamination"]:
        from stages.validate.contamination import main

        sys.exit(main(sys.argv[2:]))
    stage_main("validate", run, __doc__)
