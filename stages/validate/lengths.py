"""Lengths of rows in tokens of the base model, or in words where there is none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.location import resolve_base
from stages.enrich.schema import EnrichedRow
from stages.tables import file_sha256

BASE = Path("models/base")
WORDS = "words"
_MOST = 8_000  # rows that are measured: a share is then right to about a hundredth, in 2 s
_BATCH = 1_000


class Lengths(NamedTuple):
    """Of the rows that were measured: all of them, or equally spaced ones in the order of their ids."""

    unit: str  # `tokens of models/base (tokenizer.json <8 hex digits>)`, or `words`
    of: dict[str, tuple[int, int]]  # row id -> length of instruction and of answer

    def summary(self) -> dict[str, Any]:
        """Instruction and answer together."""
        return {"unit": self.unit, "measured_rows": len(self.of), **quantiles([sum(one) for one in self.of.values()])}


def measure_lengths(rows: Sequence[EnrichedRow], folder: Path = BASE) -> Lengths:
    """Lengths of up to `_MOST` rows by the tokenizer of `folder`, without the turns of a chat template."""
    chosen = sorted(rows, key=lambda row: row.id)[:: max(1, -(-len(rows) // _MOST))]
    file = resolve_base(folder) / "tokenizer.json" if folder.exists() else None
    if file is None or not file.is_file():
        return Lengths(WORDS, {row.id: (len(row.instruction.split()), len(row.answer.split())) for row in chosen})
    from tokenizers import Tokenizer

    tokenizer, of = Tokenizer.from_file(str(file)), {}
    for start in range(0, len(chosen), _BATCH):
        batch = chosen[start : start + _BATCH]
        counts = [
            [len(one) for one in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
            for texts in ([row.instruction for row in batch], [row.answer for row in batch])
        ]
        of |= {row.id: pair for row, pair in zip(batch, zip(*counts, strict=True), strict=True)}
    return Lengths(f"tokens of models/base (tokenizer.json {file_sha256(file)[:8]})", of)


def quantiles(values: Sequence[int]) -> dict[str, float]:
    """Mean, median, 90th and 99th percentile and the longest."""
    ordered = sorted(values)
    at = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0 for name, share in _QUANTILES}
    return {"mean": round(sum(ordered) / max(1, len(ordered)), 1), **at, "longest": ordered[-1] if ordered else 0}


_QUANTILES = (("median", 0.5), ("p90", 0.9), ("p99", 0.99))
