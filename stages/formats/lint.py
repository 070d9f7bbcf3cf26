"""What code can say about a format without reading it as an expert: reasons, empty if there is nothing to mend."""

import re

from stages.formats.schema import Format

MAX_STEPS = 8  # more sections than that are not read by anybody, nor written by a small teacher
MAX_RULES = 10
MAX_SENTENCE = 320  # characters of one step or rule
_ANSWER_LINE = re.compile(r"^Final answer: \S")


def lint_format(form: Format) -> list[str]:
    """Sorted reasons why `form` should not be used as it is; a format that rewrites nothing needs no steps."""
    if not form.rewrite:
        return []
    sentences = [*form.steps, *form.instructions]
    found = {
        "no-introduction": not form.introduction.strip(),
        "too-few-steps": len(form.steps) < 2,
        "too-many-steps": len(form.steps) > MAX_STEPS,
        "too-many-rules": len(form.instructions) > MAX_RULES,
        "empty-sentence": any(not sentence.strip() for sentence in sentences),
        "long-sentence": any(len(sentence) > MAX_SENTENCE for sentence in sentences),
        "repeated-sentence": len({sentence.strip().lower() for sentence in sentences}) < len(sentences),
        "bad-answer-line": bool(form.answer_line) and not _ANSWER_LINE.match(form.answer_line),
        "approved-without-reviewer": form.status == "approved" and not form.reviewer.strip(),
    }
    return sorted(reason for reason, is_so in found.items() if is_so)
