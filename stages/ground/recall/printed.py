"""The figures as a table for people, and the questions that fail with what was found instead."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.ground.recall.measure import Searcher, rank_of
from stages.ground.recall.schema import Question

MISS_DEPTH = 4  # a question is missed if none of so many hits answers it
SHOWN = 90  # characters of a hit's title


def table_rows(figures: Mapping[str, Any]) -> list[list[str]]:
    """One line a set and engine: n, recall@k with their intervals, MRR."""
    return [
        [
            group,
            engine,
            str(found["n"]),
            *[_share(value) for key, value in found.items() if key.startswith("recall@")],
            _mrr(found),
        ]
        for group, engines in figures.items()
        for engine, found in engines.items()
    ]


def head(figures: Mapping[str, Any]) -> list[str]:
    """Names of the columns of `table_rows`; only the first ones if nothing was asked."""
    found = next((found for engines in figures.values() for found in engines.values()), {})
    return ["questions", "engines", *found]


def misses(questions: Sequence[Question], engine: Searcher) -> list[str]:
    """Each missed question with what is wanted and what was found; hostile text, to be made visible by the printer."""
    found = engine.search_many([question.question for question in questions], MISS_DEPTH)
    return [
        "\n".join(
            [
                f"{question.kind} ({question.wording}): {question.question}",
                f"    wanted: {', '.join(question.answers)}",
                *[f"    {hit.rank + 1}. {hit.passage.id}  {hit.passage.title[:SHOWN]}" for hit in hits],
            ]
        )
        for question, hits in zip(questions, found, strict=True)
        if rank_of(question, hits) is None
    ]


def _share(value: Mapping[str, float]) -> str:
    return f"{value['share']:.2f} ({value['low']:.2f}-{value['high']:.2f})"


def _mrr(found: Mapping[str, Any]) -> str:
    return f"{next(value for key, value in found.items() if key.startswith('mrr@')):.2f}"
