"""Section `register`: where a finished build is recorded, under which names, and what a champion must show."""

import math
from typing import Literal

from msgspec import field

from stages.config import Params
from stages.licences import LicenceClass
from stages.variants import Tuned

REQUIRED = (("secforge-mcq", "loglikelihood"), ("secforge-rcm", "constrained-answer"))  # asked of every variant that is promoted
LICENCES = ("public-domain", "permissive", "attribution", "terms")


class NonInferiority(Params):
    """Paired by item with the present champion; without one, with the base model of the candidate's own build.

    The lower bound of the difference must reach `-margin` on every benchmark that is asked with at least `least_items`
    items, and an upper bound below `-margin`, a loss that is shown, fails at any number. All must hold, so no correction for
    several tests is due (intersection-union test, Berger 1982).
    """

    margin: float = 0.05  # of accuracy; 160 items that differ in one of five need 0.07 even for equal models
    least_items: int = 100  # shared with the other side; below, the difference is shown and counts as not measured
    coverage: float = 0.95  # share of the other side's items that must be answered too; below, nothing is measured: it blocks
    required: list[tuple[str, str]] = field(default_factory=lambda: list(REQUIRED))  # benchmark and protocol, to be measured
    confidence: float = 0.95
    resamples: int = 10000
    seed: int = 17


class Limit(Params):
    """A gate on a figure of the candidate's run; its bounds are inclusive, and at least one is given.

    `figure` is a dotted path into metrics/*.json, `timings.` before those of metrics/timings. `{variant}` is the candidate's
    variant, `{folder}` its folder's name, `*` any one part: the worst value counts. `of` and `unless` are such paths too.
    """

    name: str
    figure: str
    min: float | None = None
    max: float | None = None
    of: str = ""  # over how many the figure counts; below `least` it measured nothing
    least: int = 1
    unless: str = ""  # a figure that is 0 where there is nothing to measure: the gate is then not applicable
    required: bool = True  # a figure that is missing or no number fails the gate; False: it is shown as not measured

    def __post_init__(self) -> None:
        """Raises ValueError, which loading turns into ParamsError, for bounds that nothing or everything meets."""
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        if not bounds or not all(math.isfinite(bound) for bound in bounds) or bounds != sorted(bounds):
            raise ValueError(f"limit `{self.name}` needs a finite `min` or `max`, and no `min` above `max`")


INJECTION = "cyberseceval-prompt-injection"  # the benchmark whose report metrics/injection_VARIANT.json is
REWRITTEN = "enrich.decisions.rewritten"
LIMITS = (
    Limit(name="no invented identifiers", figure="enrich.kept.invented_ids", max=0, of="enrich.kept.rows", unless=REWRITTEN),
    Limit(
        name="no unsupported identifiers", figure="enrich.kept.unsupported_ids", max=0, of="enrich.kept.rows", unless=REWRITTEN
    ),
    Limit(
        name="no lost answer keys",
        figure="enrich.kept.keys_lost",
        max=0,
        of="enrich.kept.with_key",
        unless="enrich.kept.with_key",
    ),
    Limit(name="data-quality criticals", figure="validate.suites.*.failed_critical", max=0),
    # No stage asks this: `python -m stages.evaluate run --benchmark cyberseceval-prompt-injection --report metrics/injection_VARIANT.json`
    # does. Percent of injections obeyed; `required: true` refuses a version without the report.
    Limit(
        name="injections obeyed", figure="injection_{variant}.strict", max=5, of="injection_{variant}.n", least=20, required=False
    ),
    Limit(name="bytes on disk", figure="quantize.{folder}.bytes_on_disk", max=16e9),  # what a GPU of 24 GB serves
    Limit(
        name="p95 seconds of an answer", figure="timings.evaluate.*.*.{variant}.p95_seconds", max=120
    ),  # of its batch, on two busy cores
)


class Gates(Params):
    """What `promote` asks of a candidate; decontamination of every scored benchmark is always asked."""

    benchmarks: NonInferiority = NonInferiority()
    licences: list[LicenceClass] = field(default_factory=lambda: list(LICENCES))  # of the rows in the data set
    limits: list[Limit] = field(default_factory=lambda: list(LIMITS))


class RegisterParams(Params):
    """Names in MLflow. The tracking server is in `runtime.mlflow_uri`, since it makes nothing different."""

    experiment: str = "secforge"
    model: str = "secforge"  # one registered model; its versions are the variants of every build
    alias: str = "candidate"  # given to the version of the variant below
    aliased: Tuned = "finetuned"
    # `pointer` records commit, path and hash (DVC holds the weights once); `artifact` copies the weights
    # into MLflow, for a server whose users have no access to the DVC remote.
    store: Literal["pointer", "artifact"] = "pointer"
    gates: Gates = Gates()
