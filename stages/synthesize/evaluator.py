"""The evaluator: three criteria by the judge, and its examination before it decides anything."""

import re
from pathlib import Path
from typing import Any

import msgspec

from stages.llm.asking import Chat, Shape, ask
from stages.llm.client import CallFailed, Client, Request, map_rows
from stages.llm.examination import read_cases
from stages.llm.prompts import fill, load_prompt
from stages.synthesize.pairs import Pair
from stages.synthesize.params import SynthesizeParams

PROMPT = Path(__file__).parent / "prompts" / "evaluate.txt"
CASES = Path(__file__).parent / "calibration.jsonl"
CRITERIA = ("not-harder-or-new", "not-answerable-from-document", "not-grounded")  # reasons, in the order of the prompt
_LINE = re.compile(r"^\W*([123])\W{1,5}(yes|no)\b", re.IGNORECASE | re.MULTILINE)


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One hand-written pair: `good` ones meet all three criteria, the others miss at least one."""

    document: str
    existing: str
    question: str
    answer: str
    good: bool


class Judgement(msgspec.Struct, frozen=True):
    """Criteria that a pair misses (`unreadable-verdict` where no reply says anything readable), and the requests' keys."""

    missed: list[str]
    keys: list[str]


class Verdict(msgspec.Struct):
    """The reply of a server that is bound to a schema: the three decisions, in the order of the prompt."""

    harder_or_new: bool
    answerable: bool
    grounded: bool


async def judge(client: Chat, document: str, existing: list[str], pair: Pair, tokens: int) -> Judgement:
    """What the judge says of `pair`. Raises CallFailed."""
    prompt = load_prompt(PROMPT)
    messages = fill(
        prompt,
        document=document,
        existing="\n".join(existing) or "(none)",
        question=pair.question,
        answer=pair.answer,
    )
    request = Request(
        purpose="synthesize.evaluate",
        role="judge",
        messages=messages,
        max_tokens=tokens or None,
        allow_truncated=True,
        repair=prompt.repair,
    )
    answer = await ask(client, request, parse_verdict, Shape(Verdict, _missed))
    return Judgement(["unreadable-verdict"] if answer.value is None else answer.value, answer.keys)


def _missed(said: Verdict) -> list[str]:
    return [reason for reason, met in zip(CRITERIA, msgspec.structs.astuple(said), strict=True) if not met]


def parse_verdict(text: str) -> list[str] | None:
    """Reasons for the criteria answered by no; None unless each of the three is answered exactly once."""
    found = _LINE.findall(text)
    said = {number: word.casefold() for number, word in found}
    if len(found) != 3 or len(said) != 3:
        return None
    return [reason for number, reason in zip("123", CRITERIA, strict=True) if said[number] == "no"]


def load_cases(count: int, path: Path = CASES) -> list[Case]:
    """The first `count` cases, all if 0; good and bad ones alternate. Raises InputError that names the line."""
    cases = read_cases(path, Case)
    return cases[:count] if count else cases


async def examine(client: Client, params: SynthesizeParams, concurrency: int) -> dict[str, Any]:
    """How many cases the evaluator tells right, and whether that is enough of the good and of the bad ones."""
    cases = load_cases(params.calibration_pairs)

    async def work(case: Case) -> bool | None:
        try:
            said = await judge(client, case.document, [case.existing], Pair(case.question, case.answer), params.verdict_tokens)
        except CallFailed:
            return None
        return (not said.missed) == case.good and said.missed != ["unreadable-verdict"]

    right = await map_rows(cases, work, concurrency=concurrency, label="calibrating the evaluator")
    shares = {
        kind: _share([bool(told) for told, case in zip(right, cases, strict=True) if case.good == good])
        for kind, good in (("good", True), ("bad", False))
    }
    passed = all(share is not None and share >= params.calibration_accuracy for share in shares.values())
    return {"cases": len(cases), "right": sum(map(bool, right)), "accuracy": shares, "passed": passed}


def _share(values: list[bool]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None
