"""How a benchmark's items are put to a model: the benchmark's own prompt, likelihoods of option letters, five examples.

`generative`: the prompt as a chat turn, a greedy answer. `loglikelihood`: question and options as a chat turn, then the
likeliest letter after `Final answer:`. `five-shot`: plain text without chat template, for base models: five examples,
each ending in its key, then the question; the likeliest letter, or for other keys the line that the model writes.
"""

import hashlib
import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stages.chat import render_prompt
from stages.errors import InputError, ParamsError
from stages.evaluate.generative import generate
from stages.evaluate.likelihood import score_letters
from stages.evaluate.params import EvaluateParams
from stages.evaluate.variants import Variant
from stages.public_benchmarks.declarations import Declaration
from stages.public_benchmarks.items import PublicItem, read_items

SHOTS = 5
SHOT_PREFIX = "Answer:"
SHOT_TOKENS = 32  # of an answer that is no letter; its first line counts


class Asked(NamedTuple):
    """An item and the text that the model sees; `chat`: as a user turn."""

    item: PublicItem
    text: str
    chat: bool


def check_protocol(benchmark: Declaration, protocol: str) -> str:
    """The protocol, the benchmark's first one if none is named. Raises ParamsError for one that it does not declare."""
    if protocol and protocol not in benchmark.protocols:
        raise ParamsError(f"{benchmark.name} has no protocol {protocol!r}.", allowed=", ".join(benchmark.protocols))
    return protocol or benchmark.protocols[0]


def ask_items(
    benchmark: Declaration, items: Sequence[PublicItem], protocol: str, examples: Sequence[PublicItem] = ()
) -> list[Asked]:
    """What the model sees of each item, examples left out."""
    used = {item.id for item in examples if item in items}
    rest = [item for item in items if item.id not in used]
    if protocol == "generative":
        return [Asked(item, "\n\n".join(part for part in (item.system, item.prompt) if part), chat=True) for item in rest]
    if protocol == "loglikelihood":
        return [Asked(item, shown(item), chat=True) for item in rest]
    before = "".join(f"{shown(item)}\n{SHOT_PREFIX} {_key(benchmark, item)}\n\n" for item in examples)
    return [Asked(item, f"{before}{shown(item)}\n", chat=False) for item in rest]


def shown(item: PublicItem) -> str:
    """Question and lettered options, without any instruction."""
    lines = [f"{letter}. {option}" for letter, option in zip(string.ascii_uppercase, item.options, strict=False)]
    return "\n".join([item.question, *lines])


def shot_examples(benchmark: Declaration, items: Sequence[PublicItem], file: Path | None) -> list[PublicItem]:
    """Five examples: the first of `file`, else those of the benchmark whose text hashes lowest, which are then not asked."""
    if file is not None:
        found = read_items(file, benchmark).items[:SHOTS]
        return [msgspec.structs.replace(item, id=f"shot-{item.id}") for item in found]
    return sorted(items, key=lambda item: hashlib.sha256(f"shots\x1f{item.question}".encode()).hexdigest())[:SHOTS]


def in_batches(asked: Sequence[Asked], batch: int) -> Iterator[list[Asked]]:
    """Batches of similar length that depend on the items alone, so that a resumed run makes the same ones."""
    order = sorted(asked, key=lambda one: (-len(one.text), one.item.id))
    for start in range(0, len(order), batch):
        yield order[start : start + batch]


def fits(variant: Variant, one: Asked, max_new_tokens: int) -> bool:
    """Whether the prompt with its answer fits the model's context."""
    context = getattr(variant.model.config, "max_position_embeddings", None)
    return (
        not context or len(_prompt(variant, one)) + len(variant.encode(SHOT_PREFIX)) + max(max_new_tokens, SHOT_TOKENS) <= context
    )


def answer_batch(
    variant: Variant, batch: Sequence[Asked], protocol: str, benchmark: Declaration, max_new_tokens: int
) -> list[str]:
    """One response per question of a batch, in its order."""
    prompts = [_prompt(variant, one) for one in batch]
    if protocol == "generative":
        return generate(variant, prompts, max_new_tokens, len(batch), _quiet).texts
    if not all(one.item.options for one in batch) or benchmark.extractor == "letters":
        asked = [[*prompt, *variant.encode(SHOT_PREFIX)] for prompt in prompts]
        texts = generate(variant, asked, SHOT_TOKENS, len(batch), _quiet).texts
        return [text.strip().partition("\n")[0].strip() for text in texts]
    prefix = EvaluateParams().answer_prefix if protocol == "loglikelihood" else SHOT_PREFIX
    scores = score_letters(variant, prompts, [len(one.item.options) for one in batch], prefix, len(batch), _quiet)
    letters = [string.ascii_uppercase[max(range(len(row)), key=lambda place: (row[place], -place))] for row in scores]
    return [f"{prefix} {letter}" for letter in letters] if benchmark.extractor == "final-line" else letters


def _prompt(variant: Variant, one: Asked) -> list[int]:
    return render_prompt(variant.tokenizer, one.text) if one.chat else variant.encode(one.text)


def _key(benchmark: Declaration, item: PublicItem) -> str:
    if not item.key:
        raise InputError(f"{benchmark.name}, item {item.id}: an example without a key.", remedy="Use another protocol.")
    return ("" if benchmark.extractor == "letters" else ", ").join(item.key)


def _quiet(_: int) -> None:
    return None
