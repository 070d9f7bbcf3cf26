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


class Failure(msgspec.Struct, frozen=True):
    """A check that failed, with its first offending rows."""

    check: str
    severity: Severity
    remedy: str
    rows: int  # offending rows; 0 where the check is about the whole table
    first: list[Offence]
    observed: str = ""


class SuiteResult(msgspec.Struct, frozen=True):
    """What one suite found in one table."""

    table: str
    path: str
    rows: int
    checks: int
    failures: list[Failure]

    def failed(self, severity: Severity) -> list[Failure]:
        """Failures of one severity."""
        return [failure for failure in self.failures if failure.severity == severity]


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
        data = pd.DataFrame(frame)
        data[_POSITION] = range(len(data))
        results = self._validate(table, data, checks)
        failures = [
            _failure(check, frame, id_column, results[number], show)
            for number, check in enumerate(checks)
            if not results[number].success
        ]
        return SuiteResult(table, path, len(data), len(checks), failures)

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


def describe(result: SuiteResult, failure: Failure) -> str:
    """File, check, count, remedy and the first offending rows, as lines."""
    head = f"  {result.path}: {failure.check} failed for {failure.rows:,} of {result.rows:,} rows{failure.observed} - {failure.remedy}"
    return "\n".join(
        [
            head,
            *(
                f"    {offence.id}: {offence.value}" if offence.value != offence.id else f"    {offence.id}"
                for offence in failure.first
            ),
        ]
    )


def _require_columns(path: str, frame: Frame, checks: Sequence[Check]) -> None:
    missing = sorted({name for check in checks for name in (check.column, check.shows) if name and name not in frame})
    if missing:
        raise InputError(
            f"{path} lacks the column(s) {', '.join(missing)}.", allowed=", ".join(sorted(frame)), remedy="Run `dvc repro`."
        )


def _failure(check: Check, frame: Frame, id_column: str, result: Any, show: int) -> Failure:
    errors = [info["exception_message"] for info in _exceptions(result.exception_info)]
    if errors:
        raise InputError(
            f"{check.name} could not be evaluated: {errors[0]}", remedy="Mend the check in stages/validate/checks.py."
        )
    positions = sorted(entry[_POSITION] for entry in result.result.get("unexpected_index_list") or [])
    shown = frame.get(check.shows or check.column, [])
    first = [Offence(str(frame[id_column][position]), _short(shown[position])) for position in positions[:show]]
    value = result.result.get("observed_value")
    observed = f" (found {value})" if not positions and value is not None else ""
    return Failure(check.name, check.severity, check.remedy, len(positions), first, observed)


def _exceptions(info: Any) -> list[dict[str, Any]]:
    """The library nests exceptions by metric, or gives one flat entry."""
    entries = info.values() if info and "raised_exception" not in info else [info or {}]
    return [entry for entry in entries if isinstance(entry, dict) and entry.get("raised_exception")]


def _short(value: Any) -> str:
    """One line of a value, and never a credential: it goes to the terminal and into logs."""
    text = " ".join(without_credentials(str(value)[: 100 * _WIDTH]).split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
