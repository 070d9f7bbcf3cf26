"""Score responses that any model produced anywhere: `python -m stages.evaluate score --benchmark NAME --responses FILE`.

FILE holds one response per item: text blocks with a line `#####n#####` each, a column of a TSV or CSV, or JSONL. The scores
are printed as JSON, in percent; messages go to stderr. Exit 0 if scored, 2 if not. `--list` shows the benchmarks.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.config import PARAMS_FILE, load_section
from stages.errors import SecForgeError
from stages.evaluate.params import EvaluateParams
from stages.fetch import MIRROR_VARIABLE
from stages.public_benchmarks.actors import Actors, read_actors
from stages.public_benchmarks.declarations import Declaration, find_benchmark, load_benchmarks
from stages.public_benchmarks.files import as_declared, benchmark_file, graph_file, refuse_overwriting
from stages.public_benchmarks.items import Items, read_items
from stages.public_benchmarks.responses import read_responses
from stages.public_benchmarks.scoring import Outcome, Settings, figures, score_responses
from stages.review.printing import tell
from stages.runtime import RuntimeParams
from stages.tables import file_sha256, write_json

MOSTLY = 90.0  # percent of responses without an answer that are worth a word
NEIGHBOUR = Path(__file__).parents[3] / "shared" / "mirror"


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.list:
            show(listing())
            return 0
        missing = [f"--{name}" for name in ("benchmark", "responses") if not getattr(options, name)]
        if missing:
            tell(f"[score] {' and '.join(missing)} must be given; --help explains, --list shows the benchmarks.", file=sys.stderr)
            return 2
        refuse_overwriting(options.report, [options.responses, options.benchmark_file, options.graph])
        report, outcomes = score(find_benchmark(options.benchmark), options)
        if options.report:
            write_json(options.report, {**report, "items": outcomes})
    except (SecForgeError, OSError) as error:
        tell(f"[score] {error}", file=sys.stderr)
        return 2
    show(report)
    return 0


def score(benchmark: Declaration, options: argparse.Namespace) -> tuple[dict[str, Any], list[Outcome]]:
    """The report and the outcome of every item."""
    runtime = runtime_here()
    path = benchmark_file(benchmark, options.benchmark_file, runtime)
    items = read_items(path, benchmark)
    responses = read_responses(options.responses, items, benchmark, asked=path, field=options.field)
    outcomes = score_responses(benchmark, items.items, responses.texts, actors_of(benchmark, options.graph, runtime))
    report = {
        "benchmark": benchmark.name,
        **figures(benchmark, outcomes, settings_here()),
        **provenance(benchmark, path, items),
        "responses": {
            "file": options.responses.name,
            "sha256": file_sha256(options.responses),
            "field": responses.field,
            "ordered_by": responses.ordered_by,
            "notes": responses.notes,
        },
    }
    for note in _notes(report, items):
        tell(f"[score] note: {note}", file=sys.stderr)
    return report, outcomes


def show(found: dict[str, Any] | str) -> None:
    """Print the result, JSON or text; whoever reads it may stop early (`| head`)."""
    try:
        print(found if isinstance(found, str) else json.dumps(found, indent=2), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter fails again when it ends


def runtime_here() -> RuntimeParams:
    """Section `runtime` of the params file in this folder, where there is one: the commands run anywhere.

    Where no mirror folder is named, one beside the repository (NEIGHBOUR) is taken, as the tests do.
    """
    runtime = load_section("runtime", RuntimeParams) if PARAMS_FILE.is_file() else RuntimeParams()
    if runtime.mirror or os.environ.get(MIRROR_VARIABLE) or not NEIGHBOUR.is_dir():
        return runtime
    return msgspec.structs.replace(runtime, mirror=str(NEIGHBOUR))


def settings_here() -> Settings:
    """Confidence, resamples and seed as section `evaluate` has them by default."""
    defaults = EvaluateParams()
    return Settings(defaults.confidence, defaults.resamples, defaults.seed)


def actors_of(benchmark: Declaration, given: Path | None, runtime: RuntimeParams) -> Actors | None:
    """The graphs that an actor benchmark compares names through."""
    return read_actors(graph_file(benchmark.graph, given, runtime)) if benchmark.graph else None


def provenance(benchmark: Declaration, path: Path, items: Items) -> dict[str, Any]:
    """What was scored against which bytes; `as_declared` is null where no hash is pinned."""
    return {
        "version": benchmark.version,
        "rows": items.rows,
        "left_out": dict(sorted(Counter(reject.reason for reject in items.rejects).items())),
        "benchmark_file": {"file": path.name, "sha256": file_sha256(path), "as_declared": as_declared(path, benchmark)},
        "published": [{"system": one.system, "score": one.score, "source": one.source} for one in benchmark.published],
    }


def listing() -> str:
    """One line per benchmark."""
    lines = [
        f"{one.name:<30} {one.items:>6,} items  {one.metric:<14} {one.licence:<24} {one.title}"
        for one in load_benchmarks().values()
    ]
    return "\n".join(lines)


def _notes(report: dict[str, Any], items: Items) -> Iterator[str]:
    """What a reader of the figures should know."""
    if report["benchmark_file"]["as_declared"] is False:
        yield f"{report['benchmark_file']['file']} is not the published file byte by byte (its SHA-256 differs)."
    for reason, count in report["left_out"].items():
        yield f"{count:,} of {items.rows:,} items are left out: {reason}"
    yield from report["responses"]["notes"]
    if report["unparseable"] > MOSTLY:
        field = report["responses"]["field"]
        yield f"{report['unparseable']} % of the responses hold no answer{f' (field {field})' if field else ''}: is it the right file?"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate score", description=__doc__.split("\n\n")[0])
    parser.add_argument("--benchmark", default="", metavar="NAME", help="one of --list")
    parser.add_argument("--benchmark-file", type=Path, metavar="FILE",
                        help="the benchmark as published: TSV, CSV, JSON, JSONL or Parquet (default: from the mirror folder, or downloaded)")  # fmt: skip
    parser.add_argument(
        "--responses", type=Path, metavar="FILE", help="one response per item: #####n##### blocks, TSV, CSV, JSONL"
    )
    parser.add_argument("--field", default="", metavar="NAME", help="the column or field of the response (default: guessed)")
    parser.add_argument(
        "--graph", type=Path, metavar="FILE", help="CTI-TAA: JSON with alias and related names (default: from the mirror)"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.json", help="write scores and the outcome of every item here")
    parser.add_argument("--list", action="store_true", help="show the benchmarks and end")
    return parser
