"""Make the project's own benchmarks from held-out subject documents."""

from pathlib import Path

from stages.benchmarks.items import build_items, summarise
from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.schema import BenchmarkItem
from stages.benchmarks.small_model import letter_scorer
from stages.kinds import load_kinds
from stages.knowledge import read_knowledge
from stages.runtime import RuntimeParams
from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """The small model is loaded only if an adversarial question is asked."""
    params, runtime = stage.section("benchmarks", BenchmarksParams), stage.section("runtime", RuntimeParams)
    knowledge = read_knowledge(stage.read, "entities", "links", "splits", "negatives")
    score = letter_scorer(Path("models/base"), runtime, params.adversarial.batch)
    items, rejects = build_items(knowledge, load_kinds(), params, score)
    stage.write("data/benchmarks/items.parquet", items, BenchmarkItem)
    stage.write_rejects("data/benchmarks/rejects.parquet", rejects)
    stage.metrics(summarise(items, rejects, knowledge, params.head))
    stage.finish({"entities": len(knowledge.entities)}, {"items": len(items)})


if __name__ == "__main__":
    stage_main("benchmarks", run, __doc__)
