"""Model calls of a build: how many, with how many tokens, as expected and as the params allow at most.

Expected figures come from the ledger of the last build if it ran with the same limits and models, else they are assumed.
At most means: every unreadable reply repaired, every row with a gap in its evidence. Calibration asks a fixed number of
questions, whatever the number of rows. Retries after errors, and drafts of formats that the library lacks, are not counted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stages.llm.asking import LONGEST_SHOWN
from stages.llm.prompts import load_prompt

STAGES = Path(__file__).parents[1]
PROMPT_CHARACTERS = 3  # to a token: few, so that the bound holds for technical text
FACT_TOKENS, WORD_TOKENS = 100, 4  # of a row's missing facts, and of a word of a phrase: at most
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


# Calls a row, tokens in and out: of the embedded default on its first build, and of rows like its own where it makes no such call.
ASSUMED = {
    "ground.queries": (1.0, 420, 40),
    "ground.filter": (1.0, 800, 10),
    "ground.gaps": (1.3, 1900, 20),
    "ground.gap_queries": (0.3, 500, 40),
    "ground.summary": (0.9, 1600, 120),
    "enrich.rewrite": (1.2, 1300, 230),
    "enrich.readability": (2.0, 900, 6),
    "enrich.factuality": (1.0, 900, 6),
    "enrich.claims": (0.6, 1300, 12),
}


def limits(sections: Mapping[str, Any]) -> dict[str, Limit]:
    """The limit of every purpose that is asked: its prompt file, the row, and what else the prompt is filled with."""
    ground, enrich, llm = sections["ground"], sections["enrich"], sections["llm"]
    teacher, judge = llm.teacher.max_tokens, llm.judge.max_tokens
    row, verdict = ground.row_tokens, min(enrich.verdict_tokens or judge, judge)
    queries = min(ground.query_tokens or teacher, teacher)
    filtered = min(ground.filter_tokens or teacher, teacher)
    phrases = ground.rounds * ground.queries + 1  # of all rounds, and the filter's own
    evidence = ground.document_tokens + phrases * ground.keep * ground.passage_tokens
    most = {
        "ground.queries": (1, row, queries),
        "ground.filter": (1, row + FORMAT_TOKENS + queries, filtered),
        "ground.gaps": (
            ground.rounds if ground.rounds > 1 else 0,
            row + FORMAT_TOKENS + evidence,
            min(ground.gap_tokens or teacher, teacher),
        ),
        "ground.gap_queries": (ground.rounds - 1, row + FACT_TOKENS + phrases * WORD_TOKENS * ground.words_max, queries),
        "ground.summary": (int(bool(ground.summary_tokens)), row + FORMAT_TOKENS + evidence, teacher),
        "enrich.rewrite": (enrich.attempts, row + FORMAT_TOKENS + max(enrich.evidence_tokens, ground.summary_tokens), teacher),
        "enrich.readability": (2, row + teacher, verdict),
        "enrich.factuality": (1, row + teacher, verdict),
        "enrich.claims": (int(enrich.claims == "judge"), row + enrich.evidence_tokens + 2 * teacher, verdict),
    }
    return {
        purpose: _limit(purpose, calls, filled, written, llm) for purpose, (calls, filled, written) in most.items() if calls > 0
    }


def _limit(purpose: str, calls: int, filled: int, written: int, llm: Any) -> Limit:
    """With the repair round, if the prompt file has one and the role's params allow it."""
    stage, _, name = purpose.partition(".")
    path = STAGES / stage / "prompts" / f"{name}.txt"
    repairs = bool(load_prompt(path).repair) and getattr(llm, _role(purpose)).repair
    prompt = len(path.read_text(encoding="utf-8")) // PROMPT_CHARACTERS + filled
    shown = repairs * LONGEST_SHOWN // PROMPT_CHARACTERS
    return Limit(per_row=calls * (1 + repairs), prompt=prompt + shown, completion=written)


def expected_calls(
    sections: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]], configs: Mapping[str, Any]
) -> list[Call]:
    """Every purpose, by the ledgers in `metrics` where `configs` (both by stage, of the last build) are those of `sections`."""
    fixed, rows = calibration_calls(sections["enrich"]), metrics.get("ground", {}).get("rows") or 0
    calls = []
    for purpose, limit in limits(sections).items():
        stage = purpose.partition(".")[0]
        ledger = metrics.get(stage, {}).get("llm", {}).get("by_purpose", {}).get(purpose, {})
        if rows and ledger.get("requests") and same_limits(stage, sections, configs.get(stage, {})):
            calls.append(_counted(purpose, ledger, rows, fixed[purpose], limit))
        else:
            calls.append(_assumed(purpose, fixed[purpose], limit))
    return calls


def calibration_calls(enrich: Any) -> Counter[str]:
    """Calls by purpose of the judge's examinations, two for each pair; a repaired reply is one more, not counted here."""
    from stages.enrich.calibration import load_pairs
    from stages.enrich.claims_calibration import load_cases

    pairs = load_pairs(enrich.calibration.pairs)
    readability = sum(pair.spoilt_by == "unreadable" for pair in pairs)
    claims = len(load_cases(enrich.calibration.pairs)) if enrich.claims == "judge" else 0
    return Counter(
        {"enrich.readability": 2 * readability, "enrich.factuality": 2 * (len(pairs) - readability), "enrich.claims": 2 * claims}
    )


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
    return "judge" if purpose in ("enrich.readability", "enrich.factuality", "enrich.claims") else "teacher"


def _comparable(section: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps({key: value for key, value in section.items() if key != "rows"}))
