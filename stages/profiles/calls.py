"""Model calls of a build: how many, with how many tokens, as expected and as the params allow at most.

Expected figures come from the ledger of the last build if it ran with the same limits and models, else they are assumed.
Calibration asks a fixed number of questions, whatever the number of rows. Retries after errors, and drafts of formats that the library lacks, are not counted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

STAGES = Path(__file__).parents[1]
PROMPT_CHARACTERS = 3  # to a token: few, so that the bound holds for technical text
FORMAT_TOKENS = 800  # of a format's introduction, steps and rules
REASONING = 0.25  # share of its token limit that an answer takes where the limit leaves room to reason


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What the params allow one purpose at most: calls for each row, tokens of a call."""

    per_row: int
    prompt: int
    completion: int


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose of a model call: how often for each row and besides, its mean tokens, and its limit."""

    purpose: str
    per_row: float
    fixed: int  # calls of the judge's calibration
    prompt: float
    completion: float
    source: str  # ledger of the last build, or assumed
    limit: Limit

    @property
    def role(self) -> str:
        """The role that answers it."""
        return _role(self.purpose)


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """All calls of one role in a build; tokens as expected and as the params allow at most."""

    calls: float
    prompt: float
    completion: float
    most_calls: float
    most_prompt: float
    most_completion: float


# Calls a row, tokens in and out, of the embedded default on its first build.
ASSUMED = {
    "ground.queries": (1.0, 420, 40),
    "ground.filter": (1.0, 800, 10),
    "enrich.rewrite": (1.2, 1300, 230),
    "enrich.readability": (2.0, 900, 6),
    "enrich.factuality": (1.0, 900, 6),
}


def limits(sections: Mapping[str, Any]) -> dict[str, Limit]:
    """The limit of every purpose: its prompt file, the row, and what else the prompt is filled with."""
    ground, enrich, llm = sections["ground"], sections["enrich"], sections["llm"]
    teacher, judge = llm.teacher.max_tokens, llm.judge.max_tokens
    row, verdict = ground.row_tokens, min(enrich.verdict_tokens or judge, judge)
    queries = min(ground.query_tokens or teacher, teacher)
    filtered = min(ground.filter_tokens or teacher, teacher)
    most = {
        "ground.queries": (1, row, queries),
        "ground.filter": (1, row + FORMAT_TOKENS + queries, filtered),
        "enrich.rewrite": (enrich.attempts, row + FORMAT_TOKENS + enrich.evidence_tokens, teacher),
        "enrich.readability": (2, row + teacher, verdict),
        "enrich.factuality": (1, row + teacher, verdict),
    }
    return {
        purpose: Limit(per_row=calls, prompt=_prompt_tokens(purpose) + filled, completion=written)
        for purpose, (calls, filled, written) in most.items()
    }


def expected_calls(
    sections: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]], configs: Mapping[str, Any]
) -> list[Call]:
    """Every purpose, by the ledgers in `metrics` where `configs` (both by stage, of the last build) are those of `sections`."""
    fixed, rows = calibration_calls(sections["enrich"].calibration.pairs), metrics.get("ground", {}).get("rows") or 0
    calls = []
    for purpose, limit in limits(sections).items():
        stage = purpose.partition(".")[0]
        ledger = metrics.get(stage, {}).get("llm", {}).get("by_purpose", {}).get(purpose, {})
        if rows and ledger.get("requests") and same_limits(stage, sections, configs.get(stage, {})):
            calls.append(_counted(purpose, ledger, rows, fixed[purpose], limit))
        else:
            calls.append(_assumed(purpose, fixed[purpose], limit))
    return calls


def calibration_calls(pairs: int) -> Counter[str]:
    """Calls by purpose of the judge's examination on `pairs` pairs (0: all): two for each."""
    from stages.enrich.calibration import load_pairs

    readability = sum(pair.spoilt_by == "unreadable" for pair in load_pairs(pairs))
    return Counter({"enrich.readability": 2 * readability, "enrich.factuality": 2 * (len(load_pairs(pairs)) - readability)})


def same_limits(stage: str, sections: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether `stage` last ran with the models and limits of `sections`; the number of rows may differ."""
    now = {name: msgspec.to_builtins(sections[name], str_keys=True) for name in (stage, "llm")}
    return all(_comparable(now[name]) == _comparable(config.get(name, {})) for name in now)


def add_up(calls: Iterable[Call], rows: int) -> Traffic:
    """All `calls` for `rows` rows."""
    made = [(call, rows * call.per_row + call.fixed, rows * call.limit.per_row + call.fixed) for call in calls]
    return Traffic(
        calls=sum(count for _, count, _ in made),
        prompt=sum(count * call.prompt for call, count, _ in made),
        completion=sum(count * call.completion for call, count, _ in made),
        most_calls=sum(most for _, _, most in made),
        most_prompt=sum(most * call.limit.prompt for call, _, most in made),
        most_completion=sum(most * call.limit.completion for call, _, most in made),
    )


def _counted(purpose: str, ledger: Mapping[str, Any], rows: int, fixed: int, limit: Limit) -> Call:
    requests = ledger["requests"]
    return Call(
        purpose=purpose,
        per_row=max(0, requests - fixed) / rows,
        fixed=fixed,
        prompt=ledger["prompt_tokens"] / requests,
        completion=ledger["completion_tokens"] / requests,
        source="ledger of the last build",
        limit=limit,
    )


def _assumed(purpose: str, fixed: int, limit: Limit) -> Call:
    per_row, prompt, completion = ASSUMED[purpose]
    return Call(
        purpose=purpose,
        per_row=min(per_row, limit.per_row),
        fixed=fixed,
        prompt=min(prompt, limit.prompt),
        completion=min(max(completion, REASONING * limit.completion), limit.completion),
        source="assumed",
        limit=limit,
    )


def _role(purpose: str) -> str:
    return "judge" if purpose in ("enrich.readability", "enrich.factuality") else "teacher"


def _prompt_tokens(purpose: str) -> int:
    stage, _, name = purpose.partition(".")
    return len((STAGES / stage / "prompts" / f"{name}.txt").read_text(encoding="utf-8")) // PROMPT_CHARACTERS


def _comparable(section: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps({key: value for key, value in section.items() if key != "rows"}))
