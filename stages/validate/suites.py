"""The one module that owns Great Expectations: runs the declared checks on a table and returns plain results.

Results of the library hold ids and times; `SuiteResult` holds none, so it can be a metric. The import of the
library takes seconds and stands inside the functions.
"""

import os
from collections.abc import Sequence
from typing import Any

import msgspec

from stages.errors import InputError
from stages.validate.checks import Check, Severity
from stages.validate.credentials import without_credentials
from stages.validate.frames import Frame

_POSITION = "row_number"
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
        data[_POSITION] = range(len(frame[id_column]))
        results = self._validate(table, data, checks)
        outcomes = [_outcome(check, frame, id_column, results[number], show) for number, check in enumerate(checks)]
        return SuiteResult(table, path, len(data), outcomes)

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
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [_POSITION]},
        )
        return {result.expectation_config.meta["check"]: result for result in outcome.results}

    def _expectation(self, check: Check, number: int) -> Any:
        kind = getattr(self._gx.expectations, f"Expect{check.kind}")
        column = {"column": check.column} if check.column else {}
        return kind(**column, **check.arguments, severity=check.severity, meta={"check": number})


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
    positions = sorted(entry[_POSITION] for entry in result.result.get("unexpected_index_list") or [])
    shown = frame.get(check.shows or check.column, [])
    first = [Offence(_short(frame[id_column][position]), _short(shown[position])) for position in positions[:show]]
    observed = "" if check.column else str(result.result.get("observed_value", ""))
    return Outcome(check, bool(result.success), len(positions), first, observed)


def _exceptions(info: Any) -> list[dict[str, Any]]:
    """The library nests exceptions by metric, or gives one flat entry."""
    entries = info.values() if info and "raised_exception" not in info else [info or {}]
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("raised_exception")]


def _short(value: Any) -> str:
    """One line of a value, and never a credential: it goes to the terminal and into logs."""
    text = " ".join(without_credentials(str(value)[: 100 * _WIDTH]).split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
