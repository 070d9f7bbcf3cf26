"""The stage: read, check, filter, check again, write."""

import sys
import time
from typing import Any

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity, Link, Passage
from stages.stage import Stage
from stages.tables import write_text
from stages.tasks.schema import InstructionRow
from stages.validate.benchmark_hashes import load_hashes
from stages.validate.card import CARD, data_card
from stages.validate.composition import composition
from stages.validate.core import Built, build, training_rows
from stages.validate.drift import Drift, compare, described, load_baseline
from stages.validate.inspect_tables import PATHS, Inputs, input_frames, inspect, output_frames, summary, warnings_of
from stages.validate.params import ValidateParams
from stages.validate.safety import summary as safety_summary
from stages.validate.schema import SafetyFinding, TrainingRow
from stages.validate.suites import SuiteResult, SuiteRunner
from stages.validate.web_pages import page_ids

SYNTHESIZED = "data/synthesize/rows.parquet"
SAFETY = "data/validate/safety.parquet"
COMPOSITION = "metrics/validate_composition.csv"


def run_validate(stage: Stage) -> None:
    """One run of the stage `validate`."""
    params = stage.section("validate", ValidateParams)
    inputs = read_inputs(stage)
    started = time.perf_counter()
    runner = SuiteRunner()
    tables = input_frames(inputs)
    results = inspect(runner, tables, params)
    inspected = time.perf_counter()
    built = build(inputs.rows, inputs.evidence, inputs.items, params, load_hashes())
    filtered = time.perf_counter()
    train, dev = training_rows(built.rows, "train"), training_rows(built.rows, "dev")
    sets = output_frames(train, dev)
    results += inspect(runner, sets, params)
    drift = compare(tables | sets, load_baseline(), params.drift)
    _report_warnings(results, built, drift)
    stage.write(PATHS["train"], train, TrainingRow)
    stage.write(PATHS["dev"], dev, TrainingRow)
    stage.write_rejects("data/validate/rejects.parquet", built.rejects)
    stage.write(SAFETY, built.findings, SafetyFinding)
    metrics = metrics_of(results, built, len(train), len(dev), params) | {"drift": msgspec.to_builtins(drift)}
    write_text(COMPOSITION, composition(built.rows))
    write_text(CARD, data_card(built, metrics, params))
    stage.record(str(CARD))
    stage.metrics(metrics)
    stage.timings({"suites_s": round(inspected - started, 2), "filters_s": round(filtered - inspected, 2)})
    stage.finish({"rows": len(inputs.rows), "benchmark items": len(inputs.items)}, {"train": len(train), "dev": len(dev)})


def metrics_of(results: list[SuiteResult], built: Built, train: int, dev: int, params: ValidateParams) -> dict[str, Any]:
    """`metrics/validate.json`: the same input gives the same bytes."""
    return {
        "rows": {"in": built.rows_in, "train": train, "dev": dev, "dropped": len(built.rejects)},
        "drops": built.drops,
        "suites": summary(results),
        "duplicates": {
            "clusters": built.duplicate_clusters,
            "largest": built.largest_cluster,
            "conflicting_keys": len(built.conflicts),
        },
        "contamination": contamination_metrics(built),
        "safety": safety_summary(built.findings, params.safety),
        "licence_classes": built.licence_classes,
    }


def contamination_metrics(built: Built) -> dict[str, Any]:
    """Per benchmark; without any item the status says so and no zero looks like a clean result."""
    if not built.benchmarks:
        return {"status": "not checked", "hashed_benchmarks": built.hashed_benchmarks}
    return {
        "hashed_benchmarks": built.hashed_benchmarks,
        "status": "checked",
        "benchmarks": built.benchmarks,
        "rows_with_overlap": built.overlap_before,
        "rows_with_overlap_without_boilerplate": built.overlap_after,
        "boilerplate_ngrams": built.boilerplate_grams,
    }


def read_inputs(stage: Stage) -> Inputs:
    """Every table that the stage reads."""
    return Inputs(
        entities=stage.read(PATHS["entities"], Entity),
        links=stage.read(PATHS["links"], Link),
        splits=stage.read(PATHS["splits"], Split),
        items=stage.read(PATHS["items"], BenchmarkItem),
        rows=[*stage.read(PATHS["rows"], EnrichedRow), *stage.read(SYNTHESIZED, EnrichedRow)],
        evidence=stage.read(PATHS["evidence"], Evidence),
        pages=page_ids(),
        passages=stage.read(PATHS["passages"], Passage),
        formats=stage.read(PATHS["formats"], Format),
        tasks=stage.read(PATHS["tasks"], InstructionRow),
    )


def _report_warnings(results: list[SuiteResult], built: Built, drift: Drift) -> None:
    for warning in [*warnings_of(results), *described(drift)]:
        print(f"[validate] warning: {warning}", file=sys.stderr)
    if built.conflicts:
        first = "; ".join(built.conflicts[:3])
        print(
            f"[validate] warning: {len(built.conflicts):,} pairs ask the same question with different keys: {first}",
            file=sys.stderr,
        )
    if not built.benchmarks:
        print("[validate] warning: no benchmark items, so contamination was NOT checked", file=sys.stderr)
