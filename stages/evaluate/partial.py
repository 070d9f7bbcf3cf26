"""Finished pieces of an evaluation: one per system, benchmark and protocol, kept over a kill."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.evaluate.schema import Cost, Prediction
from stages.tables import content_id, read_table, write_table


class Piece(msgspec.Struct, frozen=True):
    """All predictions of one system on one benchmark under one protocol, and their cost."""

    predictions: list[Prediction]
    cost: Cost


class Pieces:
    """Pieces in a work folder, whose name depends on params, items, training rows and every model's bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, system: str, benchmark: str, protocol: str) -> Piece | None:
        """A finished piece, or None. The cost is written last, so that it stands only beside whole predictions."""
        predictions, cost = self._files(system, benchmark, protocol)
        if not cost.is_file():
            return None
        return Piece(read_table(predictions, Prediction), read_table(cost, Cost)[0])

    def keep(self, piece: Piece) -> None:
        """Write a finished piece."""
        predictions, cost = self._files(piece.cost.system, piece.cost.benchmark, piece.cost.protocol)
        write_table(predictions, piece.predictions, Prediction)
        write_table(cost, [piece.cost], Cost)

    def _files(self, *names: str) -> Sequence[Path]:
        stem = content_id(*names)
        return self.folder / f"{stem}.predictions.parquet", self.folder / f"{stem}.cost.parquet"
