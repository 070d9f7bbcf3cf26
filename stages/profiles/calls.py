"""Model calls of a build: how many for each row, and their tokens, from the last build's ledgers or assumed."""

from collections.abc import Mapping
from typing import Any

import msgspec

JUDGED = ("enrich.readability", "enrich.factuality")


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


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """All calls of one role in a build; tokens as expected and as the params allow at most."""

    calls: float
    prompt: float
    completion: float
    most_prompt: float
    most_completion: float


def expected_calls(metrics: Mapping[str, Mapping[str, Any]]) -> list[Call]:
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


def add_up(name: str, sections: Mapping[str, Any], calls: list[Call], rows: int) -> Traffic:
    """Calls of the role `name` for `rows` rows. The judge reads what the teacher may write at most."""
    ground, enrich, llm = sections["ground"], sections["enrich"], sections["llm"]
    made = rows * sum(call.per_row for call in calls)
    prompt = rows * sum(call.per_row * call.prompt for call in calls)
    growth = ground.row_tokens + (llm.teacher.max_tokens if name == "judge" else enrich.evidence_tokens)
    return Traffic(
        calls=made,
        prompt=prompt,
        completion=rows * sum(call.per_row * call.completion for call in calls),
        most_prompt=prompt + made * growth,
        most_completion=made * getattr(llm, name).max_tokens,
    )
