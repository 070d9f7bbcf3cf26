"""The stage, read top to bottom: library, choice, drafts, outputs."""

from stages.formats.core import choose_formats, describe
from stages.formats.library import load_library
from stages.formats.params import FormatsParams
from stages.formats.readings import load_readings
from stages.formats.schema import Format
from stages.llm.schema import StoredResponse
from stages.stage import Stage
from stages.tasks.schema import InstructionRow


def run_formats(stage: Stage) -> None:
    """No model is loaded, and none of its libraries imported, when every task has its format."""
    params = stage.section("formats", FormatsParams)
    rows = stage.read("data/tasks/rows.parquet", InstructionRow)
    keyed: dict[str, bool] = {}
    for row in rows:
        keyed[row.task] = keyed.get(row.task, False) or row.key_kind != "none"
    tasks = sorted(keyed)
    library = load_library()
    choice = choose_formats(tasks, library, params.policy)
    formats, rejects, responses, ledger, timings = [*choice.formats], [*choice.rejects], [], {}, {}
    if choice.to_draft:
        from stages.formats.drafting import draft_missing

        drafted = draft_missing(stage, rows, choice.to_draft, params)
        formats += drafted.formats
        rejects += drafted.rejects
        responses, ledger, timings = drafted.responses, drafted.ledger, drafted.timings
    formats.sort(key=lambda form: form.task)
    stage.write("data/formats/formats.parquet", formats, Format)
    stage.write_rejects("data/formats/rejects.parquet", rejects)
    stage.write("data/formats/responses.parquet", responses, StoredResponse)
    stage.metrics({**describe(formats, rejects, library, keyed, load_readings()), "llm": ledger})
    stage.timings(timings)
    stage.finish({"tasks": len(tasks), "library files": len(library)}, {"formats": len(formats), "drafted": len(choice.to_draft)})
