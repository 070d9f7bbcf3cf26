"""The one module that owns Great Expectations: runs the declared checks on a table and returns plain results.

Results of the library hold ids and times; `SuiteResult` holds none, so it can be a metric. The import of the
library takes seconds and stands inside the functions.
"""

import html
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.validate.checks import Check, Severity
from stages.validate.frames import Frame
from stages.validate.safety import harmless

CHECKS = "data/validate/checks.json"  # what the suites found, of which Data Docs are made
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # a page says which results it shows, not when it was made
_WIDTH = 160  # characters of a value that an error message shows


class Offence(msgspec.Struct, frozen=True):
    """One row that breaks a check."""

    id: str
    value: str


class Outcome(msgspec.Struct, frozen=True):
    """What one check found."""

    check: Check
    success: bool
    rows: int = 0  # offending rows; 0 where the check is about the whole table
    first: list[Offence] = []
    observed: str = ""  # of the whole table: its number of rows


class SuiteResult(msgspec.Struct, frozen=True):
    """What one suite found in one table."""

    table: str
    path: str
    rows: int
    outcomes: list[Outcome]

    def failed(self, severity: Severity) -> list[Outcome]:
        """Failures of one severity."""
        return [one for one in self.outcomes if not one.success and one.check.severity == severity]


class SuiteRunner:
    """A Great Expectations context in memory, without telemetry and progress bars, used for all tables of a run."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when the library is imported
        import great_expectations as gx

        self._gx = gx
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
        self._runs = 0  # names in a context are unique; a table may be checked twice

    def run(
        self, table: str, path: str, frame: Frame, checks: Sequence[Check], *, id_column: str = "id", show: int = 5
    ) -> SuiteResult:
        """Run `checks` on `frame`. Raises InputError if a check names a column that the table lacks."""
        import pandas as pd

        _require_columns(path, frame, checks)
        data = pd.DataFrame({name: frame[name] for name in sorted({check.column for check in checks if check.column})})
        size = len(frame[id_column])
        results = self._validate(table, data, checks)
        outcomes = [_outcome(check, frame, id_column, results[number], show) for number, check in enumerate(checks)]
        return SuiteResult(table, path, size, outcomes)

    def _validate(self, table: str, data: Any, checks: Sequence[Check]) -> dict[int, Any]:
        """Result of the library by the number of the check."""
        self._runs += 1
        name = f"{table}-{self._runs}"
        batch = (
            self._context.data_sources.add_pandas(name).add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
        )
        expectations = [self._expectation(check, number) for number, check in enumerate(checks)]
        suite = self._context.suites.add(self._gx.ExpectationSuite(name=name, expectations=expectations))
        definition = self._gx.ValidationDefinition(name=name, data=batch, suite=suite)
        outcome = self._context.validation_definitions.add(definition).run(
            batch_parameters={"dataframe": data},
            result_format={"result_format": "COMPLETE"},
        )
        found = {result.expectation_config.meta["check"]: result for result in outcome.results}
        self._context.validation_definitions.delete(name)
        self._context.data_sources.delete(name)  # it would hold the table as long as the context lives
        return found

    def _expectation(self, check: Check, number: int) -> Any:
        kind = getattr(self._gx.expectations, f"Expect{check.kind}")
        column = {"column": check.column} if check.column else {}
        return kind(**column, **check.arguments, severity=check.severity, meta={"check": number}, notes=html.escape(check.remedy))

    def document(self, result: SuiteResult, run: str) -> str:
        """Put a result into the context's store, from which Data Docs are made; returns the path of its page."""
        from great_expectations.core import ExpectationSuiteValidationResult, RunIdentifier
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        expectations = [self._expectation(one.check, number) for number, one in enumerate(result.outcomes)]
        suite = self._context.suites.add(self._gx.ExpectationSuite(name=result.table, expectations=expectations))
        identifier = RunIdentifier(run_name=run, run_time=_NO_TIME)
        failed = sum(not one.success for one in result.outcomes)
        document = ExpectationSuiteValidationResult(
            success=not failed,
            suite_name=result.table,
            results=[
                _documented(one, result.rows, found) for one, found in zip(result.outcomes, suite.expectations, strict=True)
            ],
            statistics=_statistics(len(result.outcomes), failed),
            meta={
                "run_id": identifier,
                "great_expectations_version": self._gx.__version__,
                "batch_spec": {"data_asset_name": html.escape(result.path)},
            },
        )
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(result.table), identifier, result.table)
        self._context.validation_results_store.set(key, document)
        return "/".join(["validations", result.table, *identifier.to_tuple(), f"{result.table}.html"])

    def build_docs(self, folder: Path) -> None:
        """Render what was documented."""
        for name in list(self._context.variables.data_docs_sites or {}):
            self._context.delete_data_docs_site(name)
        backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.absolute())}
        index = {"class_name": "DefaultSiteIndexBuilder"}
        site = {"class_name": "SiteBuilder", "show_how_to_buttons": False, "store_backend": backend, "site_index_builder": index}
        self._context.add_data_docs_site("SecForge", site)  # type: ignore[arg-type]
        self._context.build_data_docs()


def render_site(results: Sequence[SuiteResult], folder: Path, run: str) -> dict[str, str]:
    """The library's own Data Docs of `results` under `folder`; returns the path of each table's page.

    Its templates escape nothing, so every value is escaped here. The pages want a network: see `stages.validate.docs`.
    """
    runner = SuiteRunner()
    pages = {result.table: runner.document(result, run) for result in results}
    runner.build_docs(folder)
    return pages


def require_clean(results: Sequence[SuiteResult]) -> None:
    """Raise InputError with every critical failure and its first offending rows."""
    critical = [(result, failure) for result in results for failure in result.failed("critical")]
    if critical:
        raise InputError(
            f"{len(critical)} critical check(s) failed:\n" + "\n".join(describe(result, failure) for result, failure in critical),
            remedy="Mend the stage that wrote the file, or its source, and run `dvc repro` again.",
        )


def describe(result: SuiteResult, failure: Outcome) -> str:
    """File, check, count, remedy and the first offending rows, as lines."""
    found = f" (found {failure.observed})" if failure.observed else ""
    count = f"failed for {failure.rows:,} of {result.rows:,} rows{found}"
    shown = [f"{one.id}: {one.value}" if one.value != one.id else one.id for one in failure.first]
    return "\n".join(
        [f"  {result.path}: {failure.check.name} {count} - {failure.check.remedy}", *(f"    {one}" for one in shown)]
    )


def _require_columns(path: str, frame: Frame, checks: Sequence[Check]) -> None:
    missing = sorted({name for check in checks for name in (check.column, check.shows) if name and name not in frame})
    if missing:
        raise InputError(
            f"{path} lacks the column(s) {', '.join(missing)}.", allowed=", ".join(sorted(frame)), remedy="Run `dvc repro`."
        )


def _outcome(check: Check, frame: Frame, id_column: str, result: Any, show: int) -> Outcome:
    errors = [info["exception_message"] for info in _exceptions(result.exception_info)]
    if errors:
        raise InputError(
            f"{check.name} could not be evaluated: {errors[0]}", remedy="Mend the check in stages/validate/checks.py."
        )
    positions = sorted(result.result.get("unexpected_index_list") or [])  # of a frame without an index of its own: row numbers
    shown = frame.get(check.shows or check.column, [])
    first = [Offence(_short(frame[id_column][position]), _short(shown[position])) for position in positions[:show]]
    observed = "" if check.column else str(result.result.get("observed_value", ""))
    return Outcome(check, bool(result.success), len(positions), first, observed)


def _documented(outcome: Outcome, rows: int, expectation: Any) -> Any:
    """An outcome as the library's result, with escaped values."""
    from great_expectations.core import ExpectationValidationResult

    shown = [html.escape(one.id if one.id == one.value else f"{one.id}: {one.value}") for one in outcome.first]
    share = 100 * outcome.rows / max(1, rows)
    found: dict[str, Any] = {"observed_value": int(outcome.observed)} if outcome.observed.isdigit() else {}
    if outcome.check.column:
        found = {"element_count": rows, "unexpected_count": outcome.rows, "unexpected_percent": share}
        found |= {
            "missing_count": 0,
            "missing_percent": 0.0,
            "unexpected_percent_nonmissing": share,
            "partial_unexpected_list": shown,
        }
    quiet = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    return ExpectationValidationResult(
        success=outcome.success, expectation_config=expectation.configuration, result=found, exception_info=quiet
    )


def _statistics(checks: int, failed: int) -> dict[str, Any]:
    return {
        "evaluated_expectations": checks,
        "successful_expectations": checks - failed,
        "unsuccessful_expectations": failed,
        "success_percent": 100 * (checks - failed) / max(1, checks),
    }


def _exceptions(info: Any) -> list[dict[str, Any]]:
    """The library nests exceptions by metric, or gives one flat entry."""
    entries = info.values() if info and "raised_exception" not in info else [info or {}]
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("raised_exception")]


def _short(value: Any) -> str:
    """One line of a value, never a credential or personal data: it goes to the terminal, into logs and Data Docs."""
    text = harmless(str(value)[: 100 * _WIDTH])
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
