"""What code can say about a format without reading it as an expert: findings, empty if there is nothing to mend."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

import msgspec

from stages.control_tokens import first_control_token
from stages.formats import sentences
from stages.formats.schema import Format

STANDING_RULES = Path(__file__).parent / "prompts" / "standing_rules.yaml"
ANSWER_LINE = "Final answer: {key}"
MIN_STEPS = 2
MAX_STEPS = 8  # more sections than that are not read by anybody, nor written by a small teacher
MAX_RULES = 10
MAX_SENTENCE = 320  # characters of one step or rule
MAX_INTRODUCTION = 600
MAX_QUOTE = 140
MOST_SHARED = 0.5  # of the steps of the shorter of two formats: beyond it one of them says nothing about its own task


class Finding(msgspec.Struct, frozen=True):
    """One flaw of a format, for a domain expert."""

    reason: str  # a short stable key that is counted
    message: str  # plain English: the sentence at fault, what is missing, what to write


def lint_format(form: Format) -> list[str]:
    """Sorted reasons why `form` should not be used as it is."""
    return sorted({finding.reason for finding in lint(form)})


def lint(form: Format, *, keyed: bool | None = None) -> list[Finding]:
    """What is to be mended in `form`. A format that rewrites nothing needs no steps and no rules.

    `keyed` says whether the answers of the task end with a `Final answer:` line; None: as the format's own answer line says.
    """
    keyed = bool(form.answer_line) if keyed is None else keyed
    parts = [_whole(form), _sentences(form), _steps(form), _last_line(form, keyed), _rules(form, keyed)] if form.rewrite else []
    return [finding for part in (*parts, _foreign(form), _signature(form)) for finding in part]


@cache
def standing_rules() -> dict[str, str]:
    """The rules that every format carries, by the reason that their absence gives."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(STANDING_RULES.read_text(encoding="utf-8"))


def shared_steps(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of the shorter list of steps that stands in the longer one too, 0-1; case and outer space do not count."""
    first, second = ({step.strip().casefold() for step in steps} for steps in (one, other))
    return len(first & second) / (min(len(first), len(second)) or 1)


def overlapping(forms: Iterable[Format], limit: float = MOST_SHARED) -> list[tuple[str, str, float]]:
    """Pairs of tasks whose formats share more than `limit` of their steps, with the share, sorted by name."""
    ordered = sorted((form for form in forms if form.steps), key=lambda form: form.task)
    shares = ((one.task, other.task, shared_steps(one.steps, other.steps)) for one, other in combinations(ordered, 2))
    return [(one, other, share) for one, other, share in shares if share > limit]


def _whole(form: Format) -> Iterator[Finding]:
    """The three parts are there, and none is longer than a writer can follow."""
    if not form.introduction.strip():
        yield Finding(
            "no-introduction",
            "The introduction is empty. Write one or two sentences: what the task asks for, and what tells a good "
            "answer from a poor one.",
        )
    if len(form.introduction) > MAX_INTRODUCTION:
        yield Finding(
            "long-sentence",
            f"The introduction has {len(form.introduction)} characters, at most {MAX_INTRODUCTION}. "
            "Keep what the task asks for and what a good answer shows; move orders to the steps.",
        )
    if len(form.steps) < MIN_STEPS:
        yield Finding(
            "too-few-steps",
            f"The format has {len(form.steps) or 'no'} step{'s' * (len(form.steps) != 1)}, at least {MIN_STEPS}. "
            "Write what an analyst does first, next and last, one sentence each.",
        )
    if len(form.steps) > MAX_STEPS:
        yield Finding(
            "too-many-steps",
            f"The format has {len(form.steps)} steps, at most {MAX_STEPS}: each becomes a section of every answer. Join "
            "those that belong together.",
        )
    if not form.instructions:
        yield Finding(
            "no-instructions",
            "The format has no general rules. Add at least: " + " ".join(map(_quoted, standing_rules().values())),
        )
    if len(form.instructions) > MAX_RULES:
        yield Finding(
            "too-many-rules",
            f"The format has {len(form.instructions)} general rules, at most {MAX_RULES}. Keep those that the answers "
            "broke when you tried them.",
        )


def _sentences(form: Format) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, text in [*_named("Step", form.steps), *_named("Rule", form.instructions)]:
        if not text.strip():
            yield Finding("empty-sentence", f"{name} is empty. Delete it, or write its sentence.")
            continue
        if len(text) > MAX_SENTENCE:
            yield Finding(
                "long-sentence", f"{name} {_quoted(text)} has {len(text)} characters, at most {MAX_SENTENCE}. Cut it or split it."
            )
        key = text.strip().casefold()
        if key in seen:
            yield Finding("repeated-sentence", f"{name} {_quoted(text)} says the same as {seen[key]}. Delete one of them.")
        seen.setdefault(key, name[0].lower() + name[1:])


def _steps(form: Format) -> Iterator[Finding]:
    """Steps are single sentences, in the order in which an analyst works."""
    for name, text in _named("Step", form.steps):
        number = sentences.own_number(text)
        if number:
            yield Finding(
                "numbered-step",
                f"{name} {_quoted(text)} brings its own mark “{number}”. Delete the mark: the order of the list is the "
                "order of the steps.",
            )
        elif text.strip() and not sentences.is_one_sentence(text):
            yield Finding(
                "not-one-sentence",
                f"{name} {_quoted(text)} is not one sentence. Begin with a capital letter, end with a full stop, "
                "and make a second sentence a step of its own.",
            )
    early = [(name, text) for name, text in _named("Step", form.steps[:-1]) if sentences.concludes(text)]
    for name, text in early if form.steps and not sentences.concludes(form.steps[-1]) else early[:-1]:
        yield Finding(
            "steps-out-of-order",
            f"{name} {_quoted(text)} concludes before the reasoning is over. Move it to the end, so that every reason "
            "stands before the conclusion.",
        )


def _last_line(form: Format, keyed: bool) -> Iterator[Finding]:
    if keyed and not form.answer_line.strip():
        yield Finding(
            "no-answer-line",
            "The answers of this task are checked by code, which reads their last line, and the format has no answer "
            f"line. Set it to `{ANSWER_LINE}`.",
        )
    if form.answer_line and not keyed:
        yield Finding(
            "needless-answer-line",
            "The answers of this task are free text, and the format asks for the last line "
            f"{_quoted(form.answer_line)}. Empty the answer line.",
        )
    elif form.answer_line and form.answer_line != ANSWER_LINE:
        yield Finding(
            "bad-answer-line",
            f"The answer line {_quoted(form.answer_line)} cannot be read by the code that checks answers. "
            f"Write exactly `{ANSWER_LINE}`; {{key}} is filled in for each question.",
        )


def _rules(form: Format, keyed: bool) -> Iterator[Finding]:
    if form.instructions and keyed and not any(map(sentences.keeps_conclusion, form.instructions)):
        yield Finding(
            "no-conclusion-rule",
            "No rule says that the conclusion is that of the given answer, so a writer may talk itself into another one. "
            f"Add the rule {_quoted(standing_rules()['no-conclusion-rule'])}",
        )
    if form.instructions and not any(map(sentences.forbids_evidence, form.instructions)):
        yield Finding(
            "no-evidence-rule",
            "No rule forbids to mention the evidence, so answers will speak of sources that their reader never sees. "
            f"Add the rule {_quoted(standing_rules()['no-evidence-rule'])}",
        )
    for name, text in _texts(form):
        if sentences.cites_evidence(text):
            yield Finding(
                "cites-evidence",
                f"{name} {_quoted(text)} tells the writer to speak of evidence or sources, which the reader of the "
                "answer never sees. "
                "Say which fact to state instead.",
            )


def _foreign(form: Format) -> Iterator[Finding]:
    """What no sentence of a format may hold: it speaks of every question of its task, to any model, as plain text."""
    for name, text in _texts(form):
        if found := sentences.first_id(text):
            yield Finding(
                "holds-id",
                f"{name} {_quoted(text)} holds the id {found}. A format serves every question of its task: describe the "
                "case instead of naming it.",
            )
        if found := sentences.first_answer(text):
            yield Finding(
                "holds-answer",
                f"{name} {_quoted(text)} gives an answer away (“{found}”). Say how to conclude, not what the conclusion is.",
            )
        if found := first_control_token(text):
            yield Finding(
                "control-tokens",
                f"{name} {_quoted(text)} holds “{found}”, by which a model takes the rest for a message of its own. Delete it.",
            )
        elif found := sentences.first_markup(text):
            yield Finding(
                "markup",
                f"{name} {_quoted(text)} holds “{sentences.visible(found)}”. Formats are plain sentences: "
                "delete headings, code fences, tags, links, placeholders and line breaks.",
            )


def _signature(form: Format) -> Iterator[Finding]:
    if form.status == "approved" and not form.reviewer.strip():
        yield Finding(
            "approved-without-reviewer",
            "The format is approved and names no reviewer. Put the name of the person who read it, or set the status to draft.",
        )


def _texts(form: Format) -> list[tuple[str, str]]:
    return [("The introduction", form.introduction), *_named("Step", form.steps), *_named("Rule", form.instructions)]


def _named(what: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{what} {number}", text) for number, text in enumerate(texts, 1)]


def _quoted(text: str) -> str:
    seen = sentences.visible(" ".join(text.split()))
    return f"“{seen if len(seen) <= MAX_QUOTE else seen[: MAX_QUOTE - 1].rstrip() + '…'}”"
