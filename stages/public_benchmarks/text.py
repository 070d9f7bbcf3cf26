"""What extractors of every kind share: which part of an output is read, and how a line is freed of its markup.

Outputs are written by models, hence hostile: every pattern here and in the extractors is linear in the text's length.
"""

import re
from collections.abc import Iterable

from stages.llm.thoughts import without_thoughts

MOST_CHARACTERS = 20_000  # the end of a longer output is read: the answer stands last
MARKUP = " \t*_`~#>\"'“”‘’$"
_BOXED = re.compile(r"\\+boxed\s{0,2}\{\s{0,4}(?:\\+(?:text|textbf|mathrm|mathbf)\s{0,2}\{)?([^{}]{1,200})\}")
_TAGGED = re.compile(r"<(?:final_?)?answer>\s{0,20}([^<>]{1,400}?)\s{0,20}</(?:final_?)?answer>", re.IGNORECASE)
_ANSWER_LINE = re.compile(
    r"(?:\bfinal[ \t]{1,3})?\banswers?\b(?:[ \t]{1,3}is)?[ \t*_`\"]{0,5}[:：=][ \t*_`]{0,5}(?:\r?\n[ \t]{0,5}){0,2}([^\r\n]{1,400})",
    re.IGNORECASE,
)


def answer_part(output: str) -> str:
    """What an output says after its thoughts, without surrounding space; the end of a very long one."""
    return without_thoughts(output)[-MOST_CHARACTERS:].strip()


def lines_of(text: str) -> list[str]:
    """Lines that hold more than space, stripped."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def last_line(text: str) -> str:
    """The last line that holds more than space, stripped; empty for an empty text."""
    return next(iter(reversed(lines_of(text))), "")


def bare(line: str) -> str:
    """A line without the markup, brackets and full stops around it."""
    return line.strip(MARKUP + "()[]{}.,;:!")


def boxed(text: str) -> list[str]:
    r"""What stands in every `\boxed{...}`, and then in every `<answer>...</answer>`, in order."""
    return _BOXED.findall(text) + _TAGGED.findall(text)


def answer_lines(text: str) -> list[str]:
    """What follows each `Answer:` or `Final answer:`, on its line or the next, without markup; in order."""
    return [found for line in _ANSWER_LINE.findall(text) if (found := line.strip(MARKUP))]


def distinct(values: Iterable[str]) -> list[str]:
    """Each value once, in order of its first appearance."""
    return list(dict.fromkeys(values))
