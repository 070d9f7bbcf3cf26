"""Search phrases for a row: asked of the model, read tolerantly, and made by code when a reply is unusable."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from stages.ground.params import GroundParams
from stages.ground.retrieve import PassageIndex
from stages.ground.text import words
from stages.ground.trail import Trail
from stages.llm.asking import Shape
from stages.llm.client import Request
from stages.llm.prompts import fill, load_prompt
from stages.tasks.schema import InstructionRow

PROMPT = Path(__file__).parent / "prompts" / "queries.txt"
COMMON_SHARE = 0.1  # a word in more of a task's questions than this belongs to their wording, not to one question
SPARE_WORDS = 4  # a phrase a little too long is cut; one much longer is a sentence to the reader
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):]|(?:query|phrase)\s*\d*\s*:)\s*", re.IGNORECASE)


class Phrases(msgspec.Struct):
    """The reply of a server that is bound to a schema."""

    queries: list[str]


async def build_queries(
    row: InstructionRow, index: PassageIndex, common: set[str], params: GroundParams, trail: Trail
) -> tuple[list[str], bool]:
    """At most K phrases, and whether the model wrote them; code makes them if its reply is unusable. Raises CallFailed."""
    content = content_words(row.instruction, index, common)

    def read(text: str) -> list[str] | None:
        return parse_queries(text, params, content) or None

    answer = await trail.ask(query_request(row, params), read, phrases_shape(read))
    if answer.value is not None:
        return answer.value, True
    trail.counts["query-fallback"] += 1
    return key_terms(row.instruction, index, common, params), False


def query_request(row: InstructionRow, params: GroundParams) -> Request:
    """The query builder sees the instruction and nothing else."""
    prompt = load_prompt(PROMPT)
    messages = fill(prompt, instruction=row.instruction, count=str(params.queries))
    limit = params.query_tokens or None
    return Request(purpose="ground.queries", messages=messages, max_tokens=limit, allow_truncated=True, repair=prompt.repair)


def phrases_shape(read: Callable[[str], list[str] | None]) -> Shape[list[str]]:
    """Phrases as JSON, checked by the reader of phrases in lines."""
    return Shape(Phrases, lambda said: read("\n".join(" ".join(phrase.split()) for phrase in said.queries)))


def content_words(text: str, index: PassageIndex, common: set[str]) -> set[str]:
    """The words that a question does not share with all others of its task; all its words if that leaves none."""
    spoken = {word for word in index.query_words(text) if not word.isdigit()}
    return spoken - common or spoken


def parse_queries(text: str, params: GroundParams, content: set[str], asked: Collection[str] = ()) -> list[str]:
    """At most K phrases within the word limits, no two of the same words and none of those of `asked`.

    A few words too many are cut, but prose is no phrase. A phrase must share `words_shared` words with `content` (or
    all, if it has fewer): a small model also writes fluent phrases about something else.
    """
    needed = min(params.words_shared, len(content))
    found: list[str] = []
    for line in text.splitlines():
        phrase = _MARK.sub("", line).strip(" \t\"'`*.").split()
        if not params.words_min <= len(phrase) <= params.words_max + SPARE_WORDS or line.rstrip().endswith(":"):
            continue
        query = " ".join(phrase[: params.words_max])
        on_topic = len(_stems(words(query)) & _stems(content)) >= needed
        if on_topic and is_new(query, [*asked, *found]):
            found.append(query)
    return found[: params.queries]


def is_new(query: str, asked: Iterable[str]) -> bool:
    """Whether no query of `asked` has the same words of three letters or more, in whatever order."""
    return all(_telling(query) != _telling(other) for other in asked)


def _telling(query: str) -> set[str]:
    return _stems(word for word in words(query) if len(word) > 2)


def _stems(spoken: Iterable[str]) -> set[str]:
    """Words without a plural's end."""
    return {word.removesuffix("s") for word in spoken}


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


def key_terms(text: str, index: PassageIndex, common: set[str], params: GroundParams) -> list[str]:
    """K phrases of the rarest words of `text`, dealt out in turn and kept in its order."""
    spoken = list(dict.fromkeys(index.query_words(text)))
    known = [word for word in spoken if index.rarity(word) and word not in common and not word.isdigit()]
    rarest = sorted(known, key=lambda word: (index.rarity(word), word))[: params.queries * params.words_max // 2]
    phrases = (sorted(rarest[start :: params.queries], key=spoken.index) for start in range(params.queries))
    return [" ".join(phrase) for phrase in phrases if phrase]


def numbered(lines: Sequence[str]) -> str:
    """Lines as `1. ...`."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
