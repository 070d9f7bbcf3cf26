"""What code can say about a format without reading it as an expert: findings, empty if there is nothing to mend."""

import re

import msgspec

from stages.formats.schema import Format

MAX_STEPS = 8  # more sections than that are not read by anybody, nor written by a small teacher
MAX_RULES = 10
MAX_SENTENCE = 320  # characters of one step or rule
_ANSWER_LINE = re.compile(r"^Final answer: \S")


class Finding(msgspec.Struct, frozen=True):
    """One flaw of a format, for a domain expert."""

    reason: str  # a short stable key that is counted
    message: str  # plain English: the sentence at fault, what is missing, what to write


def lint_format(form: Format) -> list[str]:
    """Sorted reasons why `form` should not be used as it is."""
    return sorted({finding.reason for finding in lint(form)})


def lint(form: Format, *, keyed: bool | None = None) -> list[Finding]:
    """What is to be mended in `form`; a format that rewrites nothing needs no steps.

    `keyed` says whether the answers of the task end with a `Final answer:` line; None: as the format itself says.
    """
    if not form.rewrite:
        return []
    sentences = [*form.steps, *form.instructions]
    found = {
        "no-introduction": (not form.introduction.strip(), "The introduction is empty."),
        "too-few-steps": (len(form.steps) < 2, "There are fewer than two steps."),
        "too-many-steps": (len(form.steps) > MAX_STEPS, f"There are {len(form.steps)} steps, at most {MAX_STEPS}."),
        "too-many-rules": (len(form.instructions) > MAX_RULES, f"There are {len(form.instructions)} rules, at most {MAX_RULES}."),
        "empty-sentence": (any(not sentence.strip() for sentence in sentences), "A step or rule is empty."),
        "long-sentence": (any(len(one) > MAX_SENTENCE for one in sentences), f"A sentence is over {MAX_SENTENCE} characters."),
        "repeated-sentence": (len({one.strip().lower() for one in sentences}) < len(sentences), "A sentence stands there twice."),
        "bad-answer-line": (
            bool(form.answer_line) and not _ANSWER_LINE.match(form.answer_line),
            "The answer line is not `Final answer: {key}`.",
        ),
        "approved-without-reviewer": (form.status == "approved" and not form.reviewer.strip(), "Nobody has signed the approval."),
    }
    return [Finding(reason, message) for reason, (is_so, message) in found.items() if is_so]
