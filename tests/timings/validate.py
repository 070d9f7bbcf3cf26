"""All suites on 100,000 rows and 60,000 links, beside Great Expectations called without this project's code."""

import os
from typing import Any

from stages.validate.checks import checks_of
from stages.validate.frames import Frame
from stages.validate.inspect_tables import Inputs, input_frames, inspect
from stages.validate.params import ValidateParams
from stages.validate.suites import SuiteRunner
from tests.timings.clock import Line, measure, show
from tests.validate.samples import complete, link, tables


def main() -> None:
    """Print seconds of frames and suites together, and of the library alone on the finished frames."""
    params, runner = ValidateParams(), SuiteRunner()
    inputs = make_inputs(100_000, 60_000)
    frames = input_frames(inputs)
    inspect(runner, frames, params)  # the first run imports further parts of the library
    ours = measure(lambda: inspect(runner, input_frames(inputs), params))
    line = Line("suites of 100,000 rows, 60,000 links", ours, limit=15.0)
    line.peers["Great Expectations alone"] = measure(lambda: [library_alone(name, frame) for name, frame in frames.items()])
    show("validate", [line])
    print(
        f"expectations: {sum(result.checks for result in ours.result)}, failed: {sum(len(result.failures) for result in ours.result)}"
    )


def make_inputs(rows: int, links: int) -> Inputs:
    """Consistent tables of that size."""
    whole = tables(rows)
    whole["links"] = [link(f"cwe:CWE-{number}", f"cwe:CWE-{number + 1}") for number in range(links)]
    return Inputs(**complete(whole))


def library_alone(table: str, frame: Frame) -> Any:
    """The same expectations as a user of the library writes them, with its default result format."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    batch = context.data_sources.add_pandas("peer").add_dataframe_asset("peer").add_batch_definition_whole_dataframe("peer")
    suite = gx.ExpectationSuite(name="peer", expectations=[_expectation(gx, check) for check in checks_of(table, 0.15)])
    definition = gx.ValidationDefinition(name="peer", data=batch, suite=context.suites.add(suite))
    return context.validation_definitions.add(definition).run(batch_parameters={"dataframe": pd.DataFrame(frame)})


def _expectation(gx: Any, check: Any) -> Any:
    column = {"column": check.column} if check.column else {}
    return getattr(gx.expectations, f"Expect{check.kind}")(**column, **check.arguments)


if __name__ == "__main__":
    main()
