"""Every system over its benchmarks: each model is loaded once, finished pieces are not asked again."""

import string
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stages.benchmarks.schema import BenchmarkItem
from stages.chat import render_prompt
from stages.errors import ParamsError
from stages.evaluate import baselines
from stages.evaluate.extractors import extract, is_correct
from stages.evaluate.few_shot import few_shot_questions
from stages.evaluate.generative import choose_answer, generate
from stages.evaluate.likelihood import score_letters, score_texts
from stages.evaluate.params import EvaluateParams, Run
from stages.evaluate.partial import Piece, Pieces
from stages.evaluate.retrieval import keyed_rows
from stages.evaluate.schema import Cost, Prediction
from stages.evaluate.variants import Variant, loaded, peak_memory_mb, reset_peak_memory
from stages.evaluate.variations import check_variation, varied_name, varied_questions
from stages.formats.schema import Format
from stages.progress import progress
from stages.runtime import RuntimeParams
from stages.statistics import percentile
from stages.validate.schema import TrainingRow


class Answered(NamedTuple):
    """Answers in the order of the items, and the tokens they took."""

    outputs: list[str]
    prompt_tokens: int = 0
    new_tokens: int = 0


class Clock:
    """Shows progress and remembers how long each item's batch took."""

    def __init__(self, label: str, total: int) -> None:
        self.waits: list[float] = []
        self.started = self._last = time.perf_counter()
        self._bar = progress(total=total, label=label, unit="items")

    def done(self, count: int) -> None:
        """A batch of `count` items is answered."""
        now = time.perf_counter()
        self.waits += [now - self._last] * count
        self._last = now
        self._bar.update(count)

    def close(self) -> float:
        """Seconds since the start."""
        self._bar.close()
        return time.perf_counter() - self.started


def select_items(items: Iterable[BenchmarkItem], benchmark: str, count: int) -> list[BenchmarkItem]:
    """The first `count` items (0: all) of `benchmark`: its maker orders them so that every prefix is a fair sample."""
    own = [item for item in items if item.benchmark == benchmark]
    return own[:count] if count else own


def check_runs(params: EvaluateParams, items: Sequence[BenchmarkItem]) -> None:
    """Raises ParamsError for a run of an unknown benchmark, two runs of one name, or a protocol without meaning there."""
    kinds = {item.benchmark: item.key_kind for item in items}
    named: set[tuple[str, str, str]] = set()
    for run in params.runs:
        if run.benchmark not in kinds:
            raise ParamsError(
                f"evaluate.runs names the benchmark {run.benchmark!r}.",
                allowed=", ".join(sorted(kinds)) or "none: there are no items",
            )
        if run.protocol in ("loglikelihood", "option-text") and kinds[run.benchmark] != "letter":
            raise ParamsError(
                f"evaluate.runs: {run.protocol} on {run.benchmark}, whose questions have no options.",
                allowed="generative, constrained, constrained-answer",
            )
        if run.protocol == "constrained-answer" and kinds[run.benchmark] == "letter":
            raise ParamsError(
                f"evaluate.runs: {run.protocol} on {run.benchmark}, whose answers are letters.",
                allowed="loglikelihood, option-text, generative, constrained",
            )
        check_variation(run)
        names = {(system_name(variant, run), run.benchmark, run.protocol) for variant in run.systems}
        if len(names) < len(run.systems) or names & named:
            raise ParamsError(
                f"evaluate.runs has {run.benchmark} / {run.protocol} twice for one system.",
                remedy="Merge the runs, or remove one.",
            )
        named |= names


def system_name(variant: str, run: Run) -> str:
    """`base`, `base-few-shot` where the prompt holds training examples, `base+whole` where it holds a format."""
    return f"{variant}-few-shot" if run.shots else varied_name(variant, run.format)


def run_variants(
    items: Sequence[BenchmarkItem],
    train: Sequence[TrainingRow],
    folders: Mapping[str, Path],
    params: EvaluateParams,
    runtime: RuntimeParams,
    pieces: Pieces,
    formats: Mapping[str, Format],
) -> list[Piece]:
    """All runs of all variants, variant by variant; a missing or damaged folder is an InputError.

    `formats` by the task of the item are needed only where a run has a `format`.
    """
    done: list[Piece] = []
    for name, folder in folders.items():
        runs = [run for run in params.runs if name in run.systems]
        found = [pieces.find(system_name(name, run), run.benchmark, run.protocol) for run in runs]
        done += [piece for piece in found if piece]
        missing = [run for run, piece in zip(runs, found, strict=True) if piece is None]
        if not missing:
            continue
        with loaded(name, folder, runtime) as variant:
            for run in missing:
                reset_peak_memory()
                piece = run_variant(variant, run, select_items(items, run.benchmark, run.items), train, params, formats)
                pieces.keep(piece)
                done.append(piece)
    return done


def run_variant(
    variant: Variant,
    run: Run,
    items: Sequence[BenchmarkItem],
    train: Sequence[TrainingRow],
    params: EvaluateParams,
    formats: Mapping[str, Format],
) -> Piece:
    """One variant on the items of one run."""
    questions = varied_questions(items, few_shot_questions(items, train, run.shots, params), run, formats)
    prompts = [render_prompt(variant.tokenizer, question) for question in questions]
    system = system_name(variant.name, run)
    clock = Clock(f"{system} {run.benchmark} {run.protocol}", len(items))
    answered = _ask(variant, run, items, prompts, train, params, clock)
    return _piece(system, run.benchmark, run.protocol, items, answered, clock, peak_memory_mb(variant.device))


def run_baselines(items: Sequence[BenchmarkItem], train: Sequence[TrainingRow], params: EvaluateParams) -> list[Piece]:
    """The cheap baselines on every benchmark that has a form for them and rows to learn from."""
    done = []
    for benchmark in sorted({item.benchmark for item in items}):
        chosen = select_items(items, benchmark, params.baseline_items)
        for name in params.baselines:
            clock = Clock(f"{name} {benchmark}", len(chosen))
            outputs = baselines.answer(name, chosen, train, params.seed)
            if outputs is not None:
                clock.done(len(chosen))
                done.append(_piece(name, benchmark, "baseline", chosen, Answered(outputs), clock, 0.0))
    return done


def _ask(
    variant: Variant,
    run: Run,
    items: Sequence[BenchmarkItem],
    prompts: list[list[int]],
    train: Sequence[TrainingRow],
    params: EvaluateParams,
    clock: Clock,
) -> Answered:
    """Answers under the run's protocol."""
    read = sum(map(len, prompts))
    if run.protocol == "generative":
        made = generate(variant, prompts, run.max_new_tokens, params.generation_batch, clock.done)
        return Answered(made.texts, read, made.new_tokens)
    if run.protocol == "option-text":
        scores = score_texts(variant, prompts, [item.options for item in items], params.likelihood_batch, clock.done)
        return Answered([_letter(row) for row in scores], read)
    if items[0].key_kind == "letter":
        counts = [len(item.options) for item in items]
        scores = score_letters(variant, prompts, counts, params.answer_prefix, params.likelihood_batch, clock.done)
        return Answered([_letter(row) for row in scores], read)
    texts = _vocabulary(run, items, train, params.answer_prefix)
    if not texts:
        raise ParamsError(
            f"evaluate.runs: {run.protocol} on {run.benchmark}, but no training row has a key of the kind {items[0].key_kind}.",
            remedy="Remove the run, or give tasks with such keys a weight.",
        )
    made = choose_answer(variant, prompts, texts, params.likelihood_batch, clock.done)
    return Answered(made.texts, read, made.new_tokens)


def _vocabulary(run: Run, items: Sequence[BenchmarkItem], train: Sequence[TrainingRow], prefix: str) -> list[str]:
    """What a constrained answer may be: a bare label of the training rows, or a whole training answer with one key.

    A whole answer names the label in words first, so that a model is asked for the meaning and not for a number.
    """
    rows = keyed_rows(train, items[0].key_kind)
    if run.protocol == "constrained":
        return [f"{prefix} {label}" for label in sorted({key for row in rows for key in row.answer_key})]
    tasks = {item.task for item in items}
    return sorted({row.answer for row in rows if row.task in tasks and len(row.answer_key) == 1})


def _letter(scores: Sequence[float]) -> str:
    """The letter of the highest score, the first of equals."""
    return string.ascii_uppercase[max(range(len(scores)), key=lambda place: (scores[place], -place))]


def _piece(
    system: str, benchmark: str, protocol: str, items: Sequence[BenchmarkItem], answered: Answered, clock: Clock, peak: float
) -> Piece:
    predictions = [_predict(system, protocol, item, output) for item, output in zip(items, answered.outputs, strict=True)]
    cost = Cost(
        system=system,
        benchmark=benchmark,
        protocol=protocol,
        items=len(items),
        seconds=clock.close(),
        p50_seconds=percentile(clock.waits, 0.5),
        p95_seconds=percentile(clock.waits, 0.95),
        prompt_tokens=answered.prompt_tokens,
        new_tokens=answered.new_tokens,
        peak_memory_mb=peak,
    )
    return Piece(predictions, cost)


def _predict(system: str, protocol: str, item: BenchmarkItem, output: str) -> Prediction:
    """A prediction; a letter beyond the item's options is no answer to it."""
    parsed = extract(item.key_kind, output)
    if item.key_kind == "letter":
        parsed = [letter for letter in parsed if letter in string.ascii_uppercase[: len(item.options)]]
    return Prediction(
        system=system,
        benchmark=item.benchmark,
        protocol=protocol,
        item_id=item.id,
        output=output,
        parsed=parsed,
        parsed_ok=bool(parsed),
        correct=is_correct(parsed, item.key),
    )
