"""The model card of the committed build, as `python -m stages.register` keeps it with the run."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.register.model_card import model_card
from stages.register.workspace import committed_build
from stages.tables import write_text


def main(arguments: Sequence[str]) -> str:
    """Entry of the command: the card, or where it was written."""
    parser = argparse.ArgumentParser(prog="python -m stages.register card", description=__doc__)
    parser.add_argument("--out", type=Path, help="write it to this file")
    out = parser.parse_args(arguments).out
    text = model_card(Path.cwd(), committed_build(Path.cwd()))
    if out is None:
        return text
    write_text(out, text)
    return f"[register] wrote {out}"
