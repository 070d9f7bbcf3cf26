"""The command `read`: blind readings, given by options or typed one after the other."""

import argparse

from stages.errors import InputError
from stages.review import told
from stages.review.bench import Bench
from stages.review.printing import tell, tell_json

CHOICES = {"a": "accept", "accept": "accept", "r": "reject", "reject": "reject"}


async def read(bench: Bench, chosen: argparse.Namespace) -> int:
    """One reading given by options, else one after the other until nothing is left or the reader has enough."""
    if chosen.verdict or chosen.run or chosen.row:
        if not (chosen.verdict and chosen.run and chosen.row):
            raise InputError(
                "one reading needs --run, --row and --verdict.", remedy="`... read --reader NAME --json` names the next."
            )
        bench.read(chosen.run, chosen.row, chosen.reader, chosen.verdict, chosen.note)
        return 0
    if chosen.json:
        tell_json(bench.next_reading(chosen.reader))
        return 0
    while (pair := bench.next_reading(chosen.reader)) is not None:
        tell(told.pair(pair))
        try:
            answer = input("May the rewrite replace the original? accept, reject or quit, and a note: ").strip()
        except EOFError:  # no terminal, or Ctrl-D
            tell()
            return 0
        said, _, note = answer.partition(" ")
        if said.lower() in ("q", "quit", ""):
            return 0
        if said.lower() not in CHOICES:
            tell("a(ccept), r(eject) or q(uit)")
            continue
        bench.read(pair.run_id, pair.row_id, chosen.reader, CHOICES[said.lower()], note)
    tell("Nothing is left to read.")
    return 0
