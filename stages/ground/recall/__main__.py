"""Recall of the search engines on questions with known answers, as a table; with --misses what the first of them fails on."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ENGINES = "bm25,static,bm25+static,bm25+static/own,minilm,bm25+minilm,bm25+static+minilm"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 after a message. Reads what the stages have made; writes nothing."""
    parser = argparse.ArgumentParser(prog="python -m stages.ground.recall", description=__doc__)
    parser.add_argument(
        "--engines",
        default=ENGINES,
        help="single ones, some joined by +, or `fused` for those of `ground.engines`; /own behind them: by the passages' own "
        "words, without those of links (default: %(default)s)",
    )
    parser.add_argument(
        "--misses", action="store_true", help="print each question that the first of them does not answer in 4 hits"
    )
    parser.add_argument("--kinds", action="store_true", help="figures by kind of entry as well")
    chosen = parser.parse_args(argv)
    from stages.errors import SecForgeError
    from stages.review.printing import tell

    try:
        _run([name.strip() for name in chosen.engines.split(",")], chosen.misses, chosen.kinds)
        return 0
    except SecForgeError as error:
        tell(f"[ground.recall] {error}", file=sys.stderr)
    except KeyboardInterrupt:
        tell("[ground.recall] stopped; vectors that were made are kept.", file=sys.stderr)
    return 1


def _run(combinations: list[str], show_misses: bool, show_kinds: bool) -> None:
    from typing import get_args

    from stages.benchmarks.schema import BenchmarkItem
    from stages.config import load_section
    from stages.errors import ParamsError
    from stages.graph.schema import Split
    from stages.ground.params import EngineName, GroundParams
    from stages.ground.recall.bench import OWN, Sources, engine_names, make_bench, open_engines
    from stages.ground.recall.measure import measure
    from stages.ground.recall.printed import head, misses, table_rows
    from stages.ingest.schema import Entity, Link, Passage
    from stages.review.printing import table, tell
    from stages.runtime import RuntimeParams
    from stages.tables import read_table
    from stages.tasks.schema import InstructionRow

    params = load_section("ground", GroundParams)
    together = "+".join(params.engines)
    combinations = [one.replace("fused", together, 1) if one in ("fused", f"fused{OWN}") else one for one in combinations]
    allowed = get_args(EngineName)
    unknown = sorted({name for one in combinations for name in engine_names(one)} - set(allowed))
    if unknown:
        raise ParamsError(
            f"--engines: {', '.join(map(repr, unknown))}",
            allowed=f"{', '.join(allowed)}, or several joined by +",
            remedy="Name engines of these.",
        )
    sources = Sources(
        read_table("data/ingest/passages.parquet", Passage),
        read_table("data/tasks/rows.parquet", InstructionRow),
        read_table("data/benchmarks/items.parquet", BenchmarkItem),
        read_table("data/graph/links.parquet", Link),
        read_table("data/graph/splits.parquet", Split),
    )
    bench = make_bench(sources, read_table("data/graph/entities.parquet", Entity), params)
    engines = open_engines(bench, combinations, Path("models/encoder"), load_section("runtime", RuntimeParams))
    found = measure(bench.questions, engines)
    figures = {**found["sets"], **(found["kinds"] if show_kinds else {})}
    tell(f"{len(bench.questions)} questions on {len(bench.passages):,} passages\n")
    tell(table(head(figures), table_rows(figures)))
    if show_misses:
        tell(f"\nNot among the first 4 of {combinations[0]}:\n")
        tell("\n\n".join(misses(bench.questions, engines[combinations[0]])))


if __name__ == "__main__":
    sys.exit(main())
