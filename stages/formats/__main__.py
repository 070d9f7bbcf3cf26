"""Choose the reasoning format of every task; draft one by LLM where the library has none.

For people: `python -m stages.formats list | show | lint | draft | try | compare | approve | reject | diff | read`, each
with a --help of its own; `make review` shows the same as a page.
"""

import sys

from stages.stage import Stage, stage_main

COMMANDS = {"list", "show", "lint", "draft", "try", "compare", "approve", "reject", "diff", "read"}


def run(stage: Stage) -> None:
    from stages.formats.run import run_formats  # inputs, core and outputs: loaded only when the stage runs

    run_formats(stage)


if __name__ == "__main__":
    if COMMANDS.intersection(sys.argv[1:2]):
        from stages.review.terminal import main

        sys.exit(main(sys.argv[1:]))
    stage_main("formats", run, __doc__)
