"""Format variations: one question followed by the reasoning format of its task, whole, in part or in another order.

A system is then named `<variant>+<variation>`; its answers to the same items are compared in `consistency`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stages.benchmarks.schema import BenchmarkItem
from stages.errors import InputError, ParamsError
from stages.evaluate.params import Run
from stages.formats.schema import Format

TEMPLATE = Path(__file__).with_name("format.jinja")
TASKS = Path(__file__).with_name("format_tasks.yaml")
PLAIN = "none"
JOINED = "+"


def varied_name(variant: str, variation: str) -> str:
    """`finetuned`, or `finetuned+whole` where the question is followed by the whole format."""
    return variant if variation == PLAIN else f"{variant}{JOINED}{variation}"


def variation_of(system: str) -> tuple[str, str]:
    """Variant and variation of a system's name."""
    variant, _, variation = system.partition(JOINED)
    return variant, variation or PLAIN


def formats_of_items(items: Iterable[BenchmarkItem], formats: Iterable[Format]) -> dict[str, Format]:
    """The format of every kind of question in `items`, by the item's task. Raises InputError for kinds that have none."""
    by_task, wanted = {form.task: form for form in formats}, load_tasks()
    kinds = sorted({item.task for item in items})
    missing = [f"{kind} (task {wanted.get(kind, kind)})" for kind in kinds if wanted.get(kind, kind) not in by_task]
    if missing:
        raise InputError(
            f"data/formats/formats.parquet has no format for the questions of {', '.join(missing)}.",
            remedy=f"Leave their benchmark out of the runs with a `format`, or name another task in {TASKS}.",
        )
    return {kind: by_task[wanted.get(kind, kind)] for kind in kinds}


def load_tasks(path: Path = TASKS) -> dict[str, str]:
    """Kind of question -> task whose format it takes, where the two differ."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def varied_questions(
    items: Sequence[BenchmarkItem], questions: Sequence[str], run: Run, formats: Mapping[str, Format]
) -> list[str]:
    """Each of `questions` followed by the format of its item in the run's variation; formats are data, never templates."""
    if run.format == PLAIN:
        return list(questions)
    from jinja2 import Environment, StrictUndefined

    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return [
        template.render(question=question, form=formats[item.task], variation=run.format).strip()
        for item, question in zip(items, questions, strict=True)
    ]


def check_variation(run: Run) -> None:
    """Raises ParamsError for a run that would change two things at once."""
    if run.format != PLAIN and run.shots:
        raise ParamsError(
            f"evaluate.runs: {run.benchmark} / {run.protocol} has both `format` and `shots`.",
            remedy="Remove one of them: nobody could tell which of the two made the difference.",
        )
