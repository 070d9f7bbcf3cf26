"""All questions on all passages: an index of its own that never feeds evidence, so that nothing has to be held out of it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.ground.params import GroundParams
from stages.ground.recall.hand import answerable, read_questions
from stages.ground.recall.known import known_items
from stages.ground.recall.measure import Searcher, measure
from stages.ground.recall.schema import Question
from stages.ground.retrieve import PassageIndex
from stages.ground.retriever import Engine, Retriever, open_engine
from stages.ingest.schema import Entity, Passage
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import write_json
from stages.tasks.schema import InstructionRow


class Bench(msgspec.Struct, frozen=True):
    """Questions, the passages they are asked of, and what was left out while they were made."""

    questions: list[Question]
    passages: list[Passage]
    left_out: dict[str, Any]


def make_bench(
    passages: Sequence[Passage], entities: Sequence[Entity], rows: Sequence[InstructionRow], items: Sequence[BenchmarkItem]
) -> Bench:
    """Every passage with a text, the hand-written questions it can answer, and those made of `rows` and `items`."""
    searched = [passage for passage in passages if passage.text.strip()]
    known = {passage.id for passage in searched} | {passage.entity_id for passage in searched}
    hand, without = answerable(read_questions(), known)
    made, counts = known_items(rows, items, entities, searched)
    return Bench([*hand, *made], searched, {"hand": {"no-passage": without}, "known": counts})


def engine_names(combination: str) -> list[str]:
    """`bm25+static` -> its engines."""
    return [name.strip() for name in combination.split("+")]


def open_engines(
    bench: Bench, combinations: Sequence[str], params: GroundParams, encoder: Path, runtime: RuntimeParams
) -> dict[str, Searcher]:
    """Each combination as the build would search with it; an engine that stands in several is opened once."""
    lexical = PassageIndex(bench.passages)
    opened: dict[str, Engine] = {}
    for name in (name for combination in combinations for name in engine_names(combination)):
        if name not in opened:
            opened[name] = open_engine(name, lexical, encoder, runtime)
    return {
        combination: Retriever(lexical, [opened[name] for name in engine_names(combination)], params.rrf)
        for combination in combinations
    }


def combinations_of(params: GroundParams) -> list[str]:
    """Each engine of the build alone, and all of them together."""
    together = ["+".join(params.engines)] if len(params.engines) > 1 else []
    return [*params.engines, *together]


def write_recall(
    stage: Stage,
    passages: Sequence[Passage],
    rows: Sequence[InstructionRow],
    items: Sequence[BenchmarkItem],
    params: GroundParams,
    encoder: Path,
) -> None:
    """`metrics/ground_recall.json`; of a build that searches nothing, figures of nothing."""
    entities = stage.read("data/graph/entities.parquet", Entity)
    bench = make_bench(passages, entities, rows, items) if params.evidence else Bench([], [], {})
    write_json("metrics/ground_recall.json", recall_metrics(bench, params, encoder, stage.section("runtime", RuntimeParams)))


def recall_metrics(bench: Bench, params: GroundParams, encoder: Path, runtime: RuntimeParams) -> dict[str, Any]:
    """What stage `ground` writes to `metrics/ground_recall.json`; the engines together are called `fused` there."""
    engines = open_engines(bench, combinations_of(params), params, encoder, runtime) if bench.questions else {}
    named = {"fused" if "+" in combination else combination: engine for combination, engine in engines.items()}
    counts = dict(sorted(Counter(question.wording for question in bench.questions).items()))
    return {
        "engines": list(params.engines),
        "passages": len(bench.passages),
        "asked": counts,
        "left_out": bench.left_out,
        **measure(bench.questions, named),
    }
