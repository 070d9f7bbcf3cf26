"""What a row names: identifiers, numbers, quoted terms and capitalised words, less the words of its task's template.

Two rows that say the same of two things differ in little else, and vectors of their texts lie close. Their names differ.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

TEMPLATE_ROWS = 20  # a word that so many rows of a task have, and SHARE of them, is of the template
SHARE = 0.05

_NAME = re.compile(r"""["`]([^"`\n]{1,80})["`]|[^\s"`'()\[\]{},;:!?|<>*]*[A-Z0-9][^\s"`'()\[\]{},;:!?|<>*]*""")
_DIGIT = re.compile(r"\d")
_OPENING = re.compile(r"(?:\A|[.!?:|]\s+|\n\s*(?:[-*]|\d+[.)])?\s*)\Z")  # before the first word of a sentence or of a line


def names_by_row(tasks: Sequence[str], texts: Iterable[str]) -> list[tuple[str, ...]]:
    """The names in each text, sorted; `tasks` are those of the rows that the texts belong to."""
    shared: dict[str, str] = {}  # equal names of many rows are one object
    found = [tuple(sorted(shared.setdefault(name, name) for name in names(text))) for text in texts]
    rows = Counter(tasks)
    holding = Counter((task, name) for task, mine in zip(tasks, found, strict=True) for name in mine)
    template = {
        (task, name)
        for (task, name), count in holding.items()
        if count >= max(TEMPLATE_ROWS, SHARE * rows[task]) and not _DIGIT.search(name)
    }
    return [tuple(name for name in mine if (task, name) not in template) for task, mine in zip(tasks, found, strict=True)]


def names(text: str) -> set[str]:
    """Identifiers, numbers, quoted terms, and words with a capital letter that does not come of opening a sentence."""
    found = set()
    for match in _NAME.finditer(text):
        word = (match[1] or match[0]).rstrip(".")
        plain = word[:1].isupper() and word[1:].islower() and not match[1]
        if not (plain and _OPENING.search(text, max(0, match.start() - 8), match.start())):
            found.add(word)
    return found
