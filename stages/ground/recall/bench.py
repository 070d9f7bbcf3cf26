"""All questions on all passages: an index of its own that never feeds evidence, so that nothing has to be held out of it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import Split
from stages.ground.anchors import NONE, Anchors, anchors_of
from stages.ground.hygiene import ngrams, shares_ngram
from stages.ground.params import GroundParams
from stages.ground.recall.hand import answerable, read_questions
from stages.ground.recall.known import known_items
from stages.ground.recall.measure import Searcher, measure
from stages.ground.recall.schema import Question
from stages.ground.retrieve import PassageIndex
from stages.ground.retriever import Engine, Retriever, open_engine
from stages.ground.text import words
from stages.ingest.schema import Entity, Link, Passage
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import write_json
from stages.tasks.schema import InstructionRow

OWN = "/own"  # behind a combination: with the passages' own words only
RUN = 5  # words in a row that a sentence of a link and a question must not share


class Sources(NamedTuple):
    """The tables of a build that questions and what is searched are made of."""

    passages: Sequence[Passage]
    rows: Sequence[InstructionRow]
    items: Sequence[BenchmarkItem]
    links: Sequence[Link]
    splits: Sequence[Split]


class Bench(msgspec.Struct, frozen=True):
    """Questions, the passages they are asked of, and what was left out while they were made."""

    questions: list[Question]
    passages: list[Passage]
    anchors: Anchors
    left_out: dict[str, Any]


def make_bench(sources: Sources, entities: Sequence[Entity], params: GroundParams) -> Bench:
    """Every passage with a text, the hand-written questions it can answer, and those made of rows and items."""
    searched = [passage for passage in sources.passages if passage.text.strip()]
    known = {passage.id for passage in searched} | {passage.entity_id for passage in searched}
    hand, without = answerable(read_questions(), known)
    made, counts = known_items(sources.rows, sources.items, entities, searched)
    questions = [*hand, *made]
    found, sentences = anchors_of(
        sources.links, searched, sources.splits, sources.items, params.ngram, params.deny, params.anchors
    )
    anchors, repeating = unlike(found, questions)
    left_out = {"hand": {"no-passage": without}, "known": counts, "anchors": {**sentences, "repeats-a-question": repeating}}
    return Bench(questions, searched, anchors, left_out)


def unlike(anchors: Anchors, questions: Sequence[Question]) -> tuple[Anchors, int]:
    """`anchors` without the sentences that share RUN words in a row with a question, and how many those are.

    Rows are made of links: a question's own sentence, and every other that tells the same in the same words, must not find it.
    """
    grams = {gram for question in questions for gram in ngrams(words(question.question), RUN)}
    kept = {
        passage_id: [text for text in texts if not shares_ngram(text, grams, RUN)] for passage_id, texts in anchors.texts.items()
    }
    before, after = (sum(map(len, texts.values())) for texts in (anchors.texts, kept))
    return Anchors({passage_id: texts for passage_id, texts in kept.items() if texts}, anchors.weight), before - after


def engine_names(combination: str) -> list[str]:
    """`bm25+static/own` -> its engines."""
    return [name.strip() for name in combination.removesuffix(OWN).split("+")]


def open_engines(bench: Bench, combinations: Sequence[str], encoder: Path, runtime: RuntimeParams) -> dict[str, Searcher]:
    """Each combination as the build would search with it; an engine that stands in several is opened once."""
    indexes: dict[bool, PassageIndex] = {}
    opened: dict[tuple[str, bool], Engine] = {}
    found: dict[str, Searcher] = {}
    for combination in combinations:
        own = combination.endswith(OWN)
        anchors = NONE if own else bench.anchors
        if own not in indexes:
            indexes[own] = PassageIndex(bench.passages, anchors)
        names = engine_names(combination)
        for name in names:
            if (name, own) not in opened:
                opened[name, own] = open_engine(name, indexes[own], encoder, runtime, anchors)
        found[combination] = Retriever(indexes[own], [opened[name, own] for name in names])
    return found


def combinations_of(params: GroundParams) -> dict[str, str]:
    """Name in the metrics -> combination: each engine of the build, all of them, and these without anchor text."""
    together = "+".join(params.engines)
    named = {name: name for name in params.engines}
    if len(params.engines) > 1:
        named["fused"] = together
    if params.anchors:
        named[f"fused{OWN}" if len(params.engines) > 1 else f"{together}{OWN}"] = f"{together}{OWN}"
    return named


def write_recall(stage: Stage, sources: Sources, params: GroundParams, encoder: Path) -> None:
    """`metrics/ground_recall.json`; of a build that searches nothing, figures of nothing."""
    entities = stage.read("data/graph/entities.parquet", Entity)
    bench = make_bench(sources, entities, params) if params.evidence else Bench([], [], NONE, {})
    write_json("metrics/ground_recall.json", recall_metrics(bench, params, encoder, stage.section("runtime", RuntimeParams)))


def recall_metrics(bench: Bench, params: GroundParams, encoder: Path, runtime: RuntimeParams) -> dict[str, Any]:
    """What stage `ground` writes to `metrics/ground_recall.json`; the engines together are called `fused` there."""
    named = combinations_of(params)
    engines = open_engines(bench, list(named.values()), encoder, runtime) if bench.questions else {}
    counts = dict(sorted(Counter(question.wording for question in bench.questions).items()))
    return {
        "engines": list(params.engines),
        "passages": len(bench.passages),
        "asked": counts,
        "left_out": bench.left_out,
        **measure(bench.questions, {name: engines[combination] for name, combination in named.items() if engines}),
    }
