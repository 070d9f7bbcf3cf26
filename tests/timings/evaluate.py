"""Four-option questions by log-likelihood of the letter: ours against lm-eval's hf model, on the same prompts.

python -m tests.timings evaluate

The questions are the project's own where data/benchmarks/items.parquet is there, else made up; the model is
models/base, else a tiny one of random weights. Without lm-eval (`pip install lm-eval==0.4.13`) the peer is the
plain way: one prompt per option, padded, all logits. Both get the same weights, batch size and float type.
The ratio is of processor seconds, which a busy machine hardly moves. A second line is for `score`: responses to a public
benchmark that are read, strict and lenient, per processor second.
"""

import string
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stages.benchmarks.schema import BenchmarkItem
from stages.evaluate.variants import Variant
from stages.tables import read_table
from tests.timings.clock import measure

ROOT = Path(__file__).parents[2]
QUESTIONS = 32
BATCH = 8
RUNS = 2
LEAST_RATIO = 1.0
RESPONSES = 2500  # as many as CTI-MCQ has
LEAST_READ = 500  # responses per processor second
PREFIX = "Final answer:"
Answerer = Callable[[Variant, list[list[int]]], list[int]]


def main() -> None:
    """Print questions per second of both and how often they agree. Exit 1 below the ratio or on another answer."""
    with tempfile.TemporaryDirectory() as folder:
        variant = _variant(Path(folder))
        prompts = _prompts(variant)
        name, peer = _peer()
        pairs = [(measure(partial(answer_ours, variant, prompts)), measure(partial(peer, variant, prompts))) for _ in range(RUNS)]
    ours, theirs = (min(runs, key=lambda run: run.cpu) for runs in zip(*pairs, strict=True))
    same = sum(one == other for one, other in zip(ours.result, theirs.result, strict=True))
    ratio = theirs.cpu / ours.cpu
    print(
        f"{'ours q/s':>9} {'peer q/s':>9} {'cpu ratio':>9} {'target':>7} {'same':>7}  peer: {name}; {variant.folder.name}, batch {BATCH}"
    )
    print(
        f"{len(prompts) / ours.wall:>9.2f} {len(prompts) / theirs.wall:>9.2f} {ratio:>9.2f} {LEAST_RATIO:>7.1f} {same:>4}/{len(prompts)}"
    )
    read = _responses_read()
    print(f"score: {read:,.0f} responses per processor second, target {LEAST_READ}")
    if ratio < LEAST_RATIO or same < len(prompts) or read < LEAST_READ:
        sys.exit(1)


def answer_ours(variant: Variant, prompts: list[list[int]]) -> list[int]:
    """Number of the likeliest option per prompt, as the stage scores it."""
    from stages.evaluate.likelihood import score_letters

    rows = score_letters(variant, prompts, [4] * len(prompts), PREFIX, BATCH, lambda _: None)
    return [_largest(row) for row in rows]


def answer_lm_eval(variant: Variant, prompts: list[list[int]]) -> list[int]:
    """The same through lm-eval's `HFLM`, which groups the options of a question into one forward."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=variant.model, tokenizer=variant.tokenizer, batch_size=BATCH, add_bos_token=False)
    requests = [
        Instance("loglikelihood", {}, (variant.tokenizer.decode(prompt) + PREFIX, f" {letter}"), number)
        for prompt in prompts
        for number, letter in enumerate(string.ascii_uppercase[:4])
    ]
    scores = [score for score, _ in model.loglikelihood(requests, disable_tqdm=True)]
    return [_largest(scores[start : start + 4]) for start in range(0, len(scores), 4)]


def answer_option_by_option(variant: Variant, prompts: list[list[int]]) -> list[int]:
    """One sequence per option, in the order given, every position's logits."""
    import torch

    wholes = [[*prompt, *variant.encode(f"{PREFIX} {letter}")] for prompt in prompts for letter in "ABCD"]
    scores: list[float] = []
    for start in range(0, len(wholes), BATCH):
        rows = wholes[start : start + BATCH]
        width = max(map(len, rows))
        ids = torch.tensor([row + [variant.pad_token_id] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        with torch.inference_mode():
            logits = torch.log_softmax(variant.model(input_ids=ids, attention_mask=mask).logits.float(), dim=-1)
        scores += [logits[number, len(row) - 2, row[-1]].item() for number, row in enumerate(rows)]
    return [_largest(scores[start : start + 4]) for start in range(0, len(scores), 4)]


def _responses_read() -> float:
    """Long answers to a multiple-choice benchmark whose letter stands in a sentence, on the last line, or nowhere."""
    from stages.public_benchmarks.declarations import find_benchmark
    from stages.public_benchmarks.items import PublicItem
    from stages.public_benchmarks.scoring import score_responses

    options = ["one", "two", "three", "four"]
    items = [
        PublicItem(id=str(place), place=place, question="q", options=options, key=["B"], key_kind="", prompt="p", system="")
        for place in range(1, RESPONSES + 1)
    ]
    ends = ("So the answer is (B).", "B", "**Final answer:** b", "I cannot tell.", "")
    texts = [f"{'Each of the options is weighed in turn. ' * 30}\n{ends[item.place % len(ends)]}" for item in items]
    done = measure(partial(score_responses, find_benchmark("cti-mcq"), items, texts))
    return RESPONSES / done.cpu


def _peer() -> tuple[str, Answerer]:
    try:
        import lm_eval  # noqa: F401
    except ImportError:
        return "one prompt per option", answer_option_by_option
    return "lm-eval hf", answer_lm_eval


def _variant(scratch: Path) -> Variant:
    from stages.base.location import resolve_base
    from stages.evaluate.variants import load_variant
    from stages.runtime import RuntimeParams
    from tests.tiny_model import make_tiny_model

    base = ROOT / "models/base"
    folder = resolve_base(base) if base.is_dir() else make_tiny_model(scratch / "tiny")
    return load_variant("base", folder, RuntimeParams(device="cpu", dtype="float32"))


def _prompts(variant: Variant) -> list[list[int]]:
    from stages.chat import render_prompt

    path = ROOT / "data/benchmarks/items.parquet"
    items = read_table(path, BenchmarkItem) if path.is_file() else []
    asked = [item.question for item in items if len(item.options) == 4][:QUESTIONS]
    asked = asked or [
        f"Which of these fits case {number}?\nA. {'one ' * number}\nB. two\nC. three\nD. four" for number in range(QUESTIONS)
    ]
    return [render_prompt(variant.tokenizer, question) for question in asked]


def _largest(scores: list[float]) -> int:
    return max(range(len(scores)), key=lambda place: (scores[place], -place))


if __name__ == "__main__":
    main()
