"""Adversarial options: of the nearest wrong ones, those that a small model believes most.

The model sees the question with two options, the right one and a candidate, always in the same order within a question,
so that its liking for a letter is the same for every candidate. The candidates with the lowest loss of their own letter
stay (arXiv 2408.09304).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from msgspec import structs

from stages.benchmarks.params import AdversarialParams
from stages.benchmarks.questions import Question, load_prompt
from stages.options import WRONG_OPTIONS
from stages.prose import fill
from stages.tables import content_id

BENCHMARK = "secforge-adversarial-cti"
LETTERS = "AB"
DIGITS = 3  # of a loss: more would show the rounding of the machine

Scorer = Callable[[Sequence[str]], list[tuple[float, float]]]  # prompts -> loss of the letters A and B, nats


def hardest(questions: Sequence[Question], stems: dict[str, str], score: Scorer, params: AdversarialParams) -> list[Question]:
    """Questions with their three hardest options; those with fewer than three candidates are left out."""
    candidates = _candidates(questions, params.candidates)
    open_questions = [(one, found) for one, found in zip(questions, candidates, strict=True) if len(found) >= WRONG_OPTIONS]
    prompts = [_prompt(question, stems[question.kind], candidate) for question, found in open_questions for candidate in found]
    losses = iter(score(prompts) if prompts else [])
    return [_with_hardest(question, found, [next(losses) for _ in found]) for question, found in open_questions]


def _candidates(questions: Sequence[Question], count: int) -> list[list[str]]:
    """For each question the nearest names that are surely wrong.

    A name stands by at most as often as three times its being right and once more: what is shown everywhere and is
    right nowhere would tell a guesser what is wrong.
    """
    left = Counter({name: 1 for one in questions for name in one.ask.hard})
    left.update({one.options[0]: WRONG_OPTIONS for one in questions})
    found: dict[int, list[str]] = {place: [] for place in range(len(questions))}
    for most in (WRONG_OPTIONS, count):  # first what every question needs, then what there is to choose from
        for place in sorted(found, key=lambda one: content_id("candidates", questions[one].ask.key)):
            ask = questions[place].ask
            barred = {*ask.barred, ask.right.casefold(), *(name.casefold() for name in found[place])}
            allowed = (name for name in dict.fromkeys(ask.hard) if name.casefold() not in barred and left[name] > 0)
            more = list(islice(allowed, most - len(found[place])))
            found[place] += more
            left.subtract(more)
    return [found[place] for place in range(len(questions))]


def _right_letter(question: Question) -> str:
    return LETTERS[int(content_id("order", question.kind, question.subject), 16) % 2]


def _prompt(question: Question, stem: str, candidate: str) -> str:
    pair = [question.options[0], candidate]
    if _right_letter(question) == "B":
        pair.reverse()
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, pair, strict=True))
    return fill(load_prompt("mcq"), {"question": fill(stem, {"text": question.text}), "options": listed})


def _with_hardest(question: Question, candidates: list[str], losses: list[tuple[float, float]]) -> Question:
    wrong_place = 1 - LETTERS.index(_right_letter(question))
    ranked = sorted(
        zip(candidates, losses, strict=True), key=lambda pair: (round(pair[1][wrong_place], DIGITS), content_id(pair[0]))
    )
    kept = [name for name, _ in ranked[:WRONG_OPTIONS]]
    used = [*question.entities, *(question.ids[name] for name in kept)]
    return structs.replace(question, options=[question.options[0], *kept], entities=used)
