"""Cheap baselines on a public benchmark: `python -m stages.evaluate baselines --benchmark NAME --train FILE`.

They learn from a training table of this project, less every row that the pipeline's own rules find to match an item of
the benchmark. With --responses a model's answers stand beside them on the same items, compared in pairs, and, where
keys are labels, combined with the linear baseline: the model's answer counts where it is among the linear model's
COMBINED best labels, else the linear model's first. Prints JSON; exit 2 if nothing could be scored.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.errors import InputError, SecForgeError
from stages.evaluate import baselines
from stages.evaluate.params import EvaluateParams
from stages.evaluate.retrieval import keyed_rows
from stages.public_benchmarks.declarations import Declaration, find_benchmark
from stages.public_benchmarks.files import benchmark_file, refuse_overwriting
from stages.public_benchmarks.items import Items, PublicItem, read_items
from stages.public_benchmarks.responses import read_responses
from stages.public_benchmarks.score import provenance, runtime_here, settings_here, show
from stages.public_benchmarks.scoring import Outcome, figures, score_responses
from stages.review.printing import tell
from stages.statistics import mcnemar_exact, paired_difference
from stages.tables import read_table, write_json
from stages.validate.benchmark_index import build_index
from stages.validate.decontaminate import find_contamination
from stages.validate.foreign import read_items as searched_items
from stages.validate.foreign import to_documents
from stages.validate.loose_tables import read_records
from stages.validate.params import DecontaminationParams
from stages.validate.schema import TrainingRow

COMBINED = 5  # best labels of the linear model among which a model's answer is believed
KINDS = {"letter": "letter", "cwe": "cwe", "vector": "vector"}  # extractor -> key kind of training rows


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        refuse_overwriting(options.report, [options.train, options.responses, options.benchmark_file])
        report = compare(find_benchmark(options.benchmark), options)
        if options.report:
            write_json(options.report, report)
    except (SecForgeError, OSError) as error:
        tell(f"[baselines] {error}", file=sys.stderr)
        return 2
    show(report)
    return 0


def compare(benchmark: Declaration, options: argparse.Namespace) -> dict[str, Any]:
    """Scores of every baseline that has a form for the benchmark, and of the model where its responses are given."""
    path = benchmark_file(benchmark, options.benchmark_file, runtime_here())
    found = read_items(path, benchmark)
    kind = key_kind(benchmark, found.items)
    rows = keyed_rows(read_table(options.train, TrainingRow), kind)
    matched = contaminated(options.train, path, benchmark) if rows else set()
    clean = [row for row in rows if row.id not in matched]
    if not clean:
        raise InputError(
            f"{options.train} has no row with a key of the kind {kind}{' that does not match an item' if rows else ''}.",
            remedy="Name a training table whose tasks ask for such keys, or build one with `dvc repro validate`.",
        )
    items = [to_benchmark_item(benchmark.name, item, kind) for item in found.items]
    defaults = EvaluateParams()
    answers = {
        name: made for name in defaults.baselines if (made := baselines.answer(name, items, clean, defaults.seed)) is not None
    }
    if options.responses:
        answers |= _model(benchmark, path, found, items, clean, options)
    outcomes = {name: score_responses(benchmark, found.items, [_said(benchmark, one) for one in made]) if name != "model"
                else score_responses(benchmark, found.items, made) for name, made in answers.items()}  # fmt: skip
    return {
        "benchmark": benchmark.name,
        "n": len(items),
        "training_rows": len(rows),
        "contaminated_rows": len(rows) - len(clean),
        "matched_in_table": len(matched),
        "scores": {name: figures(benchmark, one, settings_here()) for name, one in sorted(outcomes.items())},
        "paired": _paired(outcomes),
        **provenance(benchmark, path, found),
    }


def key_kind(benchmark: Declaration, items: Sequence[PublicItem]) -> str:
    """The kind of key that training rows must have. Raises InputError for benchmarks that no baseline has a form for."""
    kind = items[0].key_kind if benchmark.extractor == "final-line" else KINDS.get(benchmark.extractor, "")
    if not kind:
        raise InputError(
            f"There is no cheap baseline for {benchmark.name}, whose answers are read as `{benchmark.extractor}`.",
            allowed=f"benchmarks whose answers are {', '.join(sorted(KINDS))}",
        )
    return kind


def contaminated(train: Path, path: Path, benchmark: Declaration) -> set[str]:
    """Ids of the training rows that match an item of the benchmark file, by the pipeline's rules and thresholds."""
    params = DecontaminationParams()
    index = build_index(searched_items(path, [benchmark.columns.question]), params)
    return {match.row for match in find_contamination(to_documents(read_records(train)), index, params).matches}


def to_benchmark_item(benchmark: str, item: PublicItem, kind: str) -> BenchmarkItem:
    """A public item as the stage's baselines read it: the bare question, with its options below it."""
    shown = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCDEFGHIJ", item.options, strict=False))
    return BenchmarkItem(
        id=item.id, benchmark=benchmark, task=benchmark, question=f"{item.question}\n{shown}".strip(), options=item.options,
        key=item.key, key_kind=kind, subject=item.id, entity_ids=[], source=benchmark, licence="",
    )  # fmt: skip


def _model(
    benchmark: Declaration, path: Path, found: Items, items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow],
    options: argparse.Namespace,
) -> dict[str, list[str]]:  # fmt: skip
    """The model's responses, and for labels their combination with the linear baseline."""
    given = read_responses(options.responses, found, benchmark, asked=path, field=options.field).texts
    if items[0].key_kind == "letter":
        return {"model": given}
    believed = [one.lenient for one in score_responses(benchmark, found.items, given)]
    ranked = baselines.ranked_labels(items, rows, EvaluateParams().seed, COMBINED)
    combined = [
        said[0] if len(said) == 1 and said[0] in labels else labels[0] for said, labels in zip(believed, ranked, strict=True)
    ]
    return {"model": given, "model+tfidf-linear": combined}


def _said(benchmark: Declaration, answer: str) -> str:
    """A baseline's answer in the declared form."""
    return f"Final answer: {answer}" if benchmark.extractor == "final-line" else answer


def _paired(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Strict score of the model, and of the combination, minus that of every other system on the same items, in points."""
    settings, compared = settings_here(), {}
    for ours in [name for name in outcomes if name.startswith("model")]:
        for theirs in sorted(outcomes):
            if theirs == ours:
                continue
            first, second = ([one.strict_score == 1 for one in outcomes[name]] for name in (ours, theirs))
            interval = paired_difference(first, second, **settings._asdict())
            compared.setdefault(ours, {})[theirs] = {
                "difference": round(100 * interval.value, 2),
                "interval": [round(100 * interval.low, 2), round(100 * interval.high, 2)],
                "mcnemar_p": round(mcnemar_exact(first, second), 6),
            }
    return compared


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate baselines", description=__doc__.split("\n\n")[0])
    parser.add_argument("--benchmark", required=True, metavar="NAME", help="one of `python -m stages.evaluate score --list`")
    parser.add_argument(
        "--benchmark-file", type=Path, metavar="FILE", help="the benchmark as published (default: mirror or download)"
    )
    parser.add_argument(
        "--train",
        type=Path,
        default=Path("data/validate/train.parquet"),
        metavar="FILE",
        help="training table (default: %(default)s)",
    )
    parser.add_argument("--responses", type=Path, metavar="FILE", help="a model's responses, compared with the baselines")
    parser.add_argument("--field", default="", metavar="NAME", help="the column or field of the response (default: guessed)")
    parser.add_argument("--report", type=Path, metavar="OUT.json", help="write the figures here as well")
    return parser
