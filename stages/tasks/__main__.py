"""Make instruction rows with template answers for every task type."""

from stages.kinds import load_kinds
from stages.knowledge import read_knowledge
from stages.runtime import RuntimeParams
from stages.stage import Stage, stage_main
from stages.tasks.assemble import build_rows, summarise
from stages.tasks.catalogue import load_catalogue
from stages.tasks.params import TasksParams
from stages.tasks.schema import InstructionRow


def run(stage: Stage) -> None:
    params = stage.section("tasks", TasksParams)
    knowledge = read_knowledge(stage.read, "entities", "links", "splits", "negatives", "paths")
    knowledge.hold_back(load_kinds())
    catalogue = load_catalogue()
    rows, rejects, usable = build_rows(knowledge, catalogue, params, stage.section("runtime", RuntimeParams).workers)
    stage.write("data/tasks/rows.parquet", rows, InstructionRow)
    stage.write_rejects("data/tasks/rejects.parquet", rejects)
    stage.metrics(summarise(catalogue, rows, rejects, usable))
    stage.finish({"entities": len(knowledge.entities)}, {"rows": len(rows), "tasks": len({row.task for row in rows})})


if __name__ == "__main__":
    stage_main("tasks", run, __doc__)
