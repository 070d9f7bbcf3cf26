"""Check every table, remove unsafe, contaminated and duplicate rows, and describe the data set.

`python -m stages.validate contamination --help`: look for benchmark items in any file of rows.
"""

import sys

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """One run of the stage; see `stages.validate.stage_run`."""
    from stages.validate.stage_run import run as run_stage

    run_stage(stage)


if __name__ == "__main__":
    if sys.argv[1:2] == ["contamination"]:
        from stages.validate.contamination import main

        sys.exit(main(sys.argv[2:]))
    stage_main("validate", run, __doc__)
