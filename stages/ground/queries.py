"""Search phrases for a row: prompts, tolerant reading of the replies, and phrases made by code when a reply is unusable."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from stages.formats.schema import Format
from stages.ground.params import GroundParams
from stages.ground.retrieve import PassageIndex
from stages.ground.text import words
from stages.llm.client import Request
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPTS = Path(__file__).parent / "prompts"
COMMON_SHARE = 0.1  # a word in more of a task's questions than this belongs to their wording, not to one question
SPARE_WORDS = 4  # a phrase a little too long is cut; one much longer is a sentence to the reader
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):]|(?:query|phrase)\s*\d*\s*:)\s*", re.IGNORECASE)
_NONE = re.compile(r"\bnone\b", re.IGNORECASE)


def query_request(row: InstructionRow, params: GroundParams) -> Request:
    """The query builder sees the instruction and nothing else."""
    messages = fill(load_prompt(PROMPTS / "queries.txt"), instruction=row.instruction, count=str(params.queries))
    return Request(purpose="ground.queries", messages=messages, max_tokens=params.query_tokens or None, allow_truncated=True)


def content_words(row: InstructionRow, index: PassageIndex, common: set[str]) -> set[str]:
    """The words that a question does not share with all others of its task; all its words if that leaves none."""
    spoken = {word for word in index.query_words(row.instruction) if not word.isdigit()}
    return spoken - common or spoken


def parse_queries(text: str, params: GroundParams, content: set[str]) -> list[str]:
    """At most K different phrases within the word limits; a few words too many are cut, but prose is no phrase.

    A phrase must share `words_shared` words with the question's `content` words (or all, if it has fewer): a small
    model also writes fluent phrases about something else.
    """
    needed = min(params.words_shared, len(content))
    found: list[str] = []
    for line in text.splitlines():
        phrase = _MARK.sub("", line).strip(" \t\"'`*.").split()
        if not params.words_min <= len(phrase) <= params.words_max + SPARE_WORDS or line.rstrip().endswith(":"):
            continue
        query = " ".join(phrase[: params.words_max])
        on_topic = len(_stems(words(query)) & _stems(content)) >= needed
        if on_topic and all(set(words(query)) != set(words(other)) for other in found):
            found.append(query)
    return found[: params.queries]


def _stems(spoken: Iterable[str]) -> set[str]:
    """Words without a plural's end."""
    return {word.removesuffix("s") for word in spoken}


def filter_request(row: InstructionRow, form: Format, queries: list[str], params: GroundParams) -> Request:
    """The filter sees question, draft answer, format steps and the phrases; temperature 0, it only chooses."""
    messages = fill(
        load_prompt(PROMPTS / "filter.txt"),
        instruction=row.instruction,
        answer=row.answer,
        steps=numbered(form.steps),
        queries=numbered(queries),
    )
    limit = params.filter_tokens or None
    return Request(purpose="ground.filter", messages=messages, max_tokens=limit, temperature=0.0, allow_truncated=True)


def parse_filter(text: str, count: int) -> list[int] | None:
    """Positions of the kept phrases, `[]` for none; None if the reply says neither."""
    numbers = sorted({int(number) - 1 for number in re.findall(r"\b\d{1,2}\b", text) if 1 <= int(number) <= count})
    if numbers:
        return numbers
    return [] if _NONE.search(text) else None


def task_words(rows: Iterable[InstructionRow]) -> dict[str, set[str]]:
    """Per task, the words that are common to its questions."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    for row in rows:
        counts[row.task].update(set(words(row.instruction)))
        totals[row.task] += 1
    return {
        task: {word for word, n in found.items() if n > max(3, COMMON_SHARE * totals[task])} for task, found in counts.items()
    }


def key_terms(row: InstructionRow, index: PassageIndex, common: set[str], params: GroundParams) -> list[str]:
    """K phrases of the question's own rarest words, dealt out in turn and kept in the question's order."""
    spoken = list(dict.fromkeys(index.query_words(row.instruction)))
    known = [word for word in spoken if index.rarity(word) and word not in common and not word.isdigit()]
    rarest = sorted(known, key=lambda word: (index.rarity(word), word))[: params.queries * params.words_max // 2]
    phrases = (sorted(rarest[start :: params.queries], key=spoken.index) for start in range(params.queries))
    return [" ".join(phrase) for phrase in phrases if phrase]


def numbered(lines: Iterable[str]) -> str:
    """Lines as `1. ...`."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
