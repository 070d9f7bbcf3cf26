"""All suites on 100,000 rows and 60,000 links, beside Great Expectations called without this project's code."""

import os
from typing import Any

from stages.validate.checks import checks_of
from stages.validate.frames import Frame
from stages.validate.inspect_tables import input_frames, inspect
from stages.validate.params import ValidateParams
from stages.validate.suites import SuiteRunner
from tests.timings.clock import Line, measure, show
from tests.validate.samples import complete, link, tables


def main() -> None:
    """Print seconds of the suites and of the library alone on the same columns, and of the columns themselves."""
    params, runner = ValidateParams(), SuiteRunner()
    read = make_tables(100_000, 60_000).__getitem__
    frames = list(input_frames(read))
    works = (lambda: inspect(runner, frames, params), lambda: [library_alone(name, frame) for name, frame in frames])
    turns = [[measure(work) for work in works] for _ in range(3)][1:]  # the first imports further parts of the library
    ours, alone = (min(times, key=lambda one: one.cpu) for times in zip(*turns, strict=True))
    line = Line("suites of 100,000 rows, 60,000 links", ours, limit=15.0)
    line.peers["Great Expectations alone"] = alone
    made = Line("columns of the same, with facts across tables", measure(lambda: list(input_frames(read))), limit=15.0)
    show("validate (ratio 0.83 is 1.2 times the library alone)", [line, made])
    results = ours.result.results
    print(
        f"expectations: {sum(len(one.outcomes) for one in results)}, failed: "
        f"{sum(not outcome.success for one in results for outcome in one.outcomes)}"
    )


def make_tables(rows: int, links: int) -> dict[str, list[Any]]:
    """Consistent tables of that size."""
    whole = tables(rows)
    whole["links"] = [link(f"cwe:CWE-{number}", f"cwe:CWE-{number + 1}") for number in range(links)]
    return complete(whole)


def library_alone(table: str, frame: Frame) -> Any:
    """The same expectations as a user of the library writes them, with its default result format."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    batch = context.data_sources.add_pandas("peer").add_dataframe_asset("peer").add_batch_definition_whole_dataframe("peer")
    checks = checks_of(table, 0.15)
    suite = gx.ExpectationSuite(name="peer", expectations=[_expectation(gx, check) for check in checks])
    data = pd.DataFrame({name: frame[name] for name in sorted({check.column for check in checks if check.column})})
    definition = gx.ValidationDefinition(name="peer", data=batch, suite=context.suites.add(suite))
    return context.validation_definitions.add(definition).run(batch_parameters={"dataframe": data})


def _expectation(gx: Any, check: Any) -> Any:
    column = {"column": check.column} if check.column else {}
    return getattr(gx.expectations, f"Expect{check.kind}")(**column, **check.arguments)


if __name__ == "__main__":
    main()
