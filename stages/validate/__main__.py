"""Check every table, remove unsafe, contaminated and duplicate rows, and describe the data set.

`python -m stages.validate COMMAND --help`, of which COMMAND is
baseline: accept the distributions of this build, with which later ones are compared;
contamination: look for benchmark items in any file of rows;
docs: what the suites found, as a site of Great Expectations' Data Docs that needs no network;
export: the final set as a folder that `datasets.load_dataset` reads, with card and NOTICE;
export-preferences: kept and refused rewrites as pairs for DPO, in such a folder;
trace: the whole chain behind one row, from its sources to its licence.
"""

import importlib
import sys

from stages.stage import Stage, stage_main

COMMANDS = ("baseline", "contamination", "docs", "export", "export-preferences", "trace")  # modules of this package, `-` for `_`


def run(stage: Stage) -> None:
    """Inputs, core and outputs are in `stages.validate.run`, loaded only when the stage runs."""
    from stages.validate.run import run_validate

    run_validate(stage)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        sys.exit(importlib.import_module(f"stages.validate.{sys.argv[1].replace('-', '_')}").main(sys.argv[2:]))
    stage_main("validate", run, __doc__)
