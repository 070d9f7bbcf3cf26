"""A model's labels beside the declared ones: sampling, asking, reading the reply, agreement per category."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.label.params import LabelParams
from stages.label.schema import Labelled
from stages.llm.asking import Chat, Shape, ask
from stages.llm.client import CallFailed, Request
from stages.llm.prompts import fill, load_prompt
from stages.tables import Reject, content_id
from stages.tasks.schema import InstructionRow
from stages.taxonomy import Category

PROMPT = Path(__file__).parent / "prompts" / "label.txt"
DIGITS = 4


class Named(msgspec.Struct):
    """The reply of a server that is bound to a schema."""

    categories: list[str]


def sample(rows: Iterable[InstructionRow], count: int) -> list[InstructionRow]:
    """`count` training rows, task types in turn; both orders are by content hash."""
    by_task: dict[str, list[InstructionRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: content_id("label", row.id)):
        if row.split == "train":
            by_task[row.task].append(row)
    turns = sorted(by_task, key=lambda task: content_id("label-task", task))
    longest = max((len(found) for found in by_task.values()), default=0)
    dealt = (by_task[task][turn] for turn in range(longest) for task in turns if turn < len(by_task[task]))
    return [row for row, _ in zip(dealt, range(count), strict=False)]


async def label(row: InstructionRow, client: Chat, taxonomy: Sequence[Category], params: LabelParams) -> Labelled | Reject:
    """The categories that the judge names for the instruction, or why there are none."""
    question = " ".join(row.instruction.split()[: params.question_words])
    categories = "\n".join(f"- {category.name}: {category.definition}" for category in taxonomy)
    prompt = load_prompt(PROMPT)
    request = Request(
        purpose="label.row",
        role="judge",
        messages=fill(prompt, categories=categories, question=question),
        max_tokens=params.max_tokens or None,
        allow_truncated=True,
        repair=prompt.repair,
    )

    def read(text: str) -> list[str] | None:
        return named_categories(text, taxonomy) or None

    try:
        answer = await ask(client, request, read, Shape(Named, lambda said: read(", ".join(said.categories))))
    except CallFailed as failure:
        return Reject("label", row.id, f"call-failed:{failure.reason}", failure.detail)
    if answer.value is None:
        return Reject("label", row.id, "no-category-named", answer.reply.text)
    return Labelled(row_id=row.id, task=row.task, declared=row.labels, named=answer.value, request_hashes=answer.keys)


def named_categories(text: str, taxonomy: Iterable[Category]) -> list[str]:
    """Names of categories that stand in the first line that holds any; a name inside a longer word is none."""
    for line in text.splitlines():
        folded = re.sub(r"[\s_]+", "-", line.casefold())
        found = [one.name for one in taxonomy if re.search(rf"(?<![a-z]){re.escape(one.name)}(?![a-z])", folded)]
        if found:
            return sorted(found)
    return []


def agreement(labelled: Sequence[Labelled], taxonomy: Iterable[Category]) -> dict[str, Any]:
    """Per category: rows declared, rows named, rows with both, share of rows on which both agree, Cohen's kappa."""
    table = {one.name: _compared(one.name, labelled) for one in taxonomy}
    shared = [len({*one.declared} & {*one.named}) / len({*one.declared} | {*one.named}) for one in labelled]
    return {"categories": table, "mean_jaccard": round(sum(shared) / len(shared), DIGITS) if shared else None}


def _compared(name: str, labelled: Sequence[Labelled]) -> dict[str, Any]:
    """Kappa is None where both sides say the same of every row: chance agreement is then all there is."""
    total = len(labelled)
    declared, named = (sum(name in getattr(one, side) for one in labelled) for side in ("declared", "named"))
    both = sum(name in one.declared and name in one.named for one in labelled)
    if not total:
        return {"declared": 0, "named": 0, "both": 0, "agreement": None, "kappa": None}
    observed = (total - declared - named + 2 * both) / total
    chance = (declared * named + (total - declared) * (total - named)) / total**2
    kappa = None if chance == 1 else round((observed - chance) / (1 - chance), DIGITS)
    return {"declared": declared, "named": named, "both": both, "agreement": round(observed, DIGITS), "kappa": kappa}
