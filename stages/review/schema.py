"""What the review keeps and shows: versions of formats, runs on real rows, results, decisions, comparisons, blind readings."""

from typing import Any, Literal

import msgspec

from stages.enrich.checks import CheckResult
from stages.enrich.format_figures import FormatFigures, Tried
from stages.formats.lint import Finding
from stages.formats.schema import Format
from stages.ground.schema import Evidence

Origin = Literal["library", "draft", "edit"]
State = Literal["running", "done", "failed", "interrupted"]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One text of a task's format. It never changes: an edit is another version with this one as its parent."""

    id: str  # 16 hex digits
    task: str
    form: Format  # `form.sha256` is that of its text, `stages.formats.library.format_text(form)`
    origin: Origin
    parent: str  # id of the version that it was made from; empty for a draft and for a library file
    base: str  # SHA-256 of the library file when it was made; empty if the task had none. Approval compares it
    content: str  # SHA-256 of what a model sees of it: versions with equal content share their tries
    author: str
    created: str  # ISO 8601, UTC
    findings: list[Finding]  # of the lint; any of them blocks approval


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What answers cost: every request of a row or a run, whether asked now or found in the cache."""

    calls: int = 0  # requests
    cached: int = 0  # of them answered from the cache
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0  # by `runtime.prices`, as if nothing had been cached; None if a model has no price there
    usd_paid: float | None = 0.0  # by the calls that were really made


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a version on some rows."""

    id: str  # 16 hex digits
    task: str
    version_id: str
    row_ids: list[str]
    author: str
    created: str  # ISO 8601, UTC
    state: State  # interrupted: stopped by somebody, or its process has died; `Bench.continue_run` goes on
    done: int  # rows with a result
    total: int
    error: str  # why it failed or who stopped it, for people; empty otherwise
    settings: dict[str, Any]  # sections llm, ground and enrich as used, and the names of the models
    calibration: dict[str, Any]  # the judge's examination as `stages.enrich.calibration.report` tells it; empty until known
    usage: Usage  # of its rows so far and of the calibration
    finished: str = ""  # ISO 8601, UTC; empty while it runs


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one version did to one row."""

    run_id: str
    row_id: str
    evidence: list[Evidence]  # grounding documents (empty `query`) first
    shown: list[str]  # passage ids of those that the teacher saw
    queries: list[str]
    kept_queries: list[str]
    rewrite: str
    kept: bool
    reasons: list[str]  # keys of `stages.enrich.checks.CHECK_MEANINGS`
    checks: list[CheckResult]
    readability: str  # rewritten, original, tie, inconsistent; empty if not judged
    places: list[str]  # answer named in each order: A, B, tie or empty; the rewrite stands in B first, then in A
    factuality: int | None
    tried: Tried | None  # None if the row has an error
    seconds: float  # of this try; cached answers take none
    cached: int  # requests answered from the cache
    usage: Usage
    error: str  # why the row has no rewrite (`call-failed:rate-limited: ...`); empty if it has one


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer said of a version."""

    task: str
    version_id: str
    verdict: Literal["approved", "rejected"]
    reviewer: str
    note: str
    created: str  # ISO 8601, UTC
    sha256: str = ""  # of the library file that an approval wrote
    diff: str = ""  # what an approval changed


class TaskCard(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of tasks."""

    family: str  # empty for a format whose task has no rows in this build
    task: str
    kind: str  # search, document, rewrite-only, untouched; empty without a format
    status: str  # approved, draft; empty without a library file
    findings: int  # of the lint, for the library's format
    rows: int  # that may be tried: train and dev
    keyed: bool  # its answers have a checkable key
    versions: int
    runs: int
    last_run: str  # id; empty if none
    tried: int  # rows with a result in the last run
    problem: str  # why the library file cannot be read; empty if it can
    figures: FormatFigures | None  # of the last run; None if there is none
    agreement: dict[str, Any] | None  # of two readers: pairs, agreed, share, kappa; None if nobody has read


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """B minus A on the same rows, with a 95 % percentile bootstrap interval over rows."""

    n: int
    a: float  # mean of A
    b: float
    value: float
    low: float
    high: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Version B against version A on the rows that were tried with both."""

    version_a: str
    version_b: str
    rows: list[str]
    only_a: list[str]  # rows that only A keeps
    only_b: list[str]
    acceptance: Difference | None  # shares of kept rewrites; None without common rows
    p_value: float | None  # McNemar's exact test of acceptance
    factuality: Difference | None  # over rows judged with both
    length: Difference | None  # words of the rewrite
    words: list[str]  # the same in plain English, and whether so few rows can tell anything


class BlindPair(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader sees: whether the rewrite may replace the original is the question, and nothing hints at an answer."""

    run_id: str
    row_id: str
    task: str
    instruction: str
    original: str
    rewrite: str
