"""The stage: read, check, filter, check again, write."""

import sys
import time
from typing import Any

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.ground.schema import Evidence
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import write_json, write_text
from stages.validate.benchmark_hashes import load_hashes
from stages.validate.card import CARD, data_card
from stages.validate.chain import APART
from stages.validate.composition import Facts, composition, composition_metrics, dimensions
from stages.validate.core import Built, build, rows_apart, rows_by_split, training_rows
from stages.validate.drift import Drift, compare, described, load_baseline
from stages.validate.foreign import public_benchmarks, public_items
from stages.validate.inspect_tables import PATHS, TYPES, input_frames, inspect, output_frames, summary, warnings_of
from stages.validate.leaks import CHECKED, load_encoders
from stages.validate.lengths import measure_lengths
from stages.validate.lookup import column_of
from stages.validate.params import ValidateParams
from stages.validate.safety import summary as safety_summary
from stages.validate.schema import ClusterRow, RowApart, SafetyFinding, TouchedItem, TrainingRow
from stages.validate.semantic import ENCODER, load_encoder
from stages.validate.shared import Shared
from stages.validate.suites import CHECKS, SuiteResult, SuiteRunner, require_clean
from stages.validate.web_pages import page_ids

SYNTHESIZED = "data/synthesize/rows.parquet"
SAFETY = "data/validate/safety.parquet"
TOUCHED = "data/validate/touched.parquet"
COMPOSITION = "metrics/validate_composition.csv"
DIMENSIONS = "metrics/validate_dimensions.csv"


def run_validate(stage: Stage) -> None:
    """One run of the stage `validate`."""
    params = stage.section("validate", ValidateParams)
    inputs, runner = Inputs(stage), SuiteRunner()
    started = time.perf_counter()
    checked = inspect(runner, input_frames(inputs.read, page_ids()), params)
    _require(checked.results)
    inspected = time.perf_counter()
    own, public = inputs.read("items"), public_items(params.decontamination)
    built = build(
        inputs.read("rows"),
        inputs.read("evidence"),
        own,
        params,
        load_hashes(),
        load_encoder(),
        load_encoders(ENCODER, stage.section("runtime", RuntimeParams)),
        public,
    )
    filtered = time.perf_counter()
    train, dev = training_rows(built.rows, "train"), training_rows(built.rows, "dev")
    row_ids = {one.id for one in inputs.read("rows")}
    checked = checked.joined(inspect(runner, output_frames(train, dev, built.clusters, built.findings, row_ids), params))
    _require(checked.results)
    drift = compare(checked.counts, load_baseline(), params.drift)
    _report_warnings(checked.results, built, drift)
    stage.write(PATHS["train"], train, TrainingRow)
    stage.write(PATHS["dev"], dev, TrainingRow)
    stage.write(APART, rows_apart(built.apart), RowApart)
    stage.write_rejects("data/validate/rejects.parquet", built.rejects)
    stage.write(PATHS["clusters"], built.clusters, ClusterRow)
    stage.write(TOUCHED, built.touched, TouchedItem)
    stage.write(SAFETY, built.findings, SafetyFinding)
    facts = Facts(column_of(PATHS["entities"], "id", "published"), measure_lengths(built.rows))
    metrics = metrics_of(checked.results, built, len(train), len(dev), params) | {
        "drift": msgspec.to_builtins(drift),
        "composition": composition_metrics(built.rows, facts),
    }
    write_text(COMPOSITION, composition(built.rows))
    write_text(DIMENSIONS, dimensions(built.rows, facts))
    write_text(CARD, data_card(built, metrics, params, facts))
    stage.record(str(CARD))
    stage.record(CHECKS)
    stage.metrics(metrics)
    stage.timings({"suites_s": round(inspected - started, 2), "filters_s": round(filtered - inspected, 2)})
    stage.finish({"rows": built.rows_in, "benchmark items": len(inputs.read("items"))}, {"train": len(train), "dev": len(dev)})


def metrics_of(results: list[SuiteResult], built: Built, train: int, dev: int, params: ValidateParams) -> dict[str, Any]:
    """`metrics/validate.json`: the same input gives the same bytes."""
    return {
        "rows": {"in": built.rows_in, "train": train, "dev": dev, "apart": len(built.apart), "dropped": len(built.rejects)},
        "drops": built.drops,
        "suites": summary(results),
        "duplicates": {
            "clusters": built.duplicate_clusters,
            "largest": built.largest_cluster,
            "pairs": built.duplicate_pairs,
            "train_rows_dropped_for_dev": built.dev_leaks,
            "conflicting_keys": len(built.conflicts),
        },
        "contamination": contamination_metrics(built) | {"files": public_benchmarks(params.decontamination)},
        "safety": safety_summary(built.findings, params.safety),
        "licence_classes": built.licence_classes,
        "licence_splits": rows_by_split(built.apart),
    }


def contamination_metrics(built: Built) -> dict[str, Any]:
    """Per benchmark; without any item the status says so and no zero looks like a clean result."""
    if not built.benchmarks:
        return {"status": "not checked", "embedding": "not checked", "hashed_benchmarks": built.hashed_benchmarks}
    return {
        "hashed_benchmarks": built.hashed_benchmarks,
        "status": "checked",
        "embedding": built.embedding if built.embedding == CHECKED else f"not checked: {built.embedding}",
        "sweep": built.sweeps,
        "benchmarks": built.benchmarks,
        "rows_with_overlap": built.overlap_before,
        "rows_with_overlap_without_boilerplate": built.overlap_after,
        "boilerplate_ngrams": built.boilerplate_grams,
    }


class Inputs:
    """The tables that the stage reads; those that the build needs are read once and stay."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._kept: dict[str, list[Any]] = {}

    def read(self, table: str) -> list[Any]:
        """All rows of a table of `inspect_tables.PATHS`; `rows` are those of both steps of SecKnowledge."""
        if table in self._kept:
            return self._kept[table]
        if table == "rows":
            shared = Shared()
            self._kept[table] = [
                shared.row(one) for path in (PATHS[table], SYNTHESIZED) for one in self._stage.stream(path, EnrichedRow)
            ]
        elif table == "evidence":
            shared = Shared()
            self._kept[table] = [shared.evidence(one) for one in self._stage.stream(PATHS[table], Evidence)]
        elif table == "items":
            self._kept[table] = self._stage.read(PATHS[table], BenchmarkItem)
        else:
            return self._stage.read(PATHS[table], TYPES[table])
        return self._kept[table]


def _require(results: list[SuiteResult]) -> None:
    """The results are written before a critical one ends the run: `python -m stages.validate docs` shows also those."""
    write_json(CHECKS, results)
    require_clean(results)


def _report_warnings(results: list[SuiteResult], built: Built, drift: Drift) -> None:
    for warning in [*warnings_of(results), *described(drift)]:
        print(f"[validate] warning: {warning}", file=sys.stderr)
    if built.conflicts:
        first = "; ".join(built.conflicts[:3])
        print(
            f"[validate] warning: {len(built.conflicts):,} pairs ask the same question with different keys: {first}",
            file=sys.stderr,
        )
    if built.benchmarks and built.embedding != CHECKED:
        print(f"[validate] warning: paraphrases of benchmark items were NOT looked for: {built.embedding}", file=sys.stderr)
    if not built.benchmarks:
        print("[validate] warning: no benchmark items, so contamination was NOT checked", file=sys.stderr)
