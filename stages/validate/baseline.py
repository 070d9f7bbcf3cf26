"""Write `stages/validate/baseline.json` from the tables of the build: `python -m stages.validate baseline`.

Later builds are compared with it. Run it when a shift that `validate` warned of was wanted, and commit the file.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.errors import SecForgeError
from stages.stage import Stage
from stages.tables import write_json
from stages.validate.drift import BASELINE, Baseline, TableCounts, compare, described, load_baseline
from stages.validate.inspect_tables import PATHS, input_frames, output_frames
from stages.validate.params import ValidateParams
from stages.validate.run import Inputs
from stages.validate.schema import TrainingRow
from stages.validate.web_pages import page_ids


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages.validate baseline", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=BASELINE, metavar="FILE", help="default: the file that validate reads")
    options = parser.parse_args(arguments)
    try:
        stage = Stage("validate")
        sets = output_frames(stage.read(PATHS["train"], TrainingRow), stage.read(PATHS["dev"], TrainingRow), [], [], ())
        counts = TableCounts({}, {})
        for table, frame in itertools.chain(input_frames(Inputs(stage).read, page_ids()), sets):
            counts.add(table, frame)
        threshold = stage.section("validate", ValidateParams).drift
    except SecForgeError as error:
        print(f"[baseline] {error}", file=sys.stderr)
        return 2
    if options.out.exists():
        for line in described(compare(counts, load_baseline(options.out), threshold)):
            print(f"[baseline] accepted: {line.partition(' - ')[0]}")
    write_json(options.out, msgspec.to_builtins(Baseline(counts.tables)))
    print(f"[baseline] {options.out} written; `git diff` shows what changed")
    return 0
