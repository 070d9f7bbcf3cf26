"""Reading a drafted format out of a model's text, tolerantly: missing end tags, headings instead of tags, any list marks."""

import re

import msgspec

PARTS = ("introduction", "steps?", "rules?")  # small models write `Step:` above a list
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):]|step\s+\d+\s*[:.)-])\s*", re.IGNORECASE)
_LEAD, _TAIL = r"[#* \t]*", r"[* \t]*:[* \t]*"  # within one line: a text of line ends only must not cost its square
_FENCE = re.compile(r"<<\s*/?(?:END-?)?DATA", re.IGNORECASE)  # a draft ends where it begins to repeat its prompt
_BOLD = re.compile(r"\*\*|__|`")
_NUMBERED = re.compile(r"(?<=[.;])\s+(?=\d+[.)]\s)")


class Draft(msgspec.Struct, frozen=True):
    """The three parts of a drafted format; a part that was not found is empty."""

    introduction: str
    steps: list[str]
    rules: list[str]


def parse_draft(text: str) -> Draft:
    """The parts of `text`. Nothing raises: what is missing is for the lint to name."""
    said = _FENCE.split(text, maxsplit=1)[0]
    introduction, steps, rules = (_BOLD.sub("", _part(said, part)) for part in PARTS)
    return Draft(" ".join(introduction.split()), _sentences(steps), _sentences(rules))


def _part(text: str, part: str) -> str:
    """The text of one part: from its tag or heading to its end tag, the next part's start, or the end."""
    others = "|".join(PARTS)
    start = re.search(rf"<{part}>|^{_LEAD}{part}{_TAIL}", text, re.IGNORECASE | re.MULTILINE)
    if start is None:
        return ""
    rest = text[start.end() :]
    end = re.search(rf"</?(?:{others})>|^{_LEAD}(?:{others}){_TAIL}", rest, re.IGNORECASE | re.MULTILINE)
    return rest[: end.start()] if end else rest


def _sentences(block: str) -> list[str]:
    lines = [line for piece in block.splitlines() for line in _NUMBERED.split(piece)]
    cleaned = (" ".join(_MARK.sub("", line).split()) for line in lines)
    return [_ended(line[0].upper() + line[1:]) for line in cleaned if line]


def _ended(line: str) -> str:
    """`line` with the full stop that list items often lack."""
    return line if line[-1] in ".!?" else line.rstrip(":;,") + "."
