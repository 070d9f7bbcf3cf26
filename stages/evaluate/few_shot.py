"""Few-shot prompts: the nearest training rows with their keys, then the question, in one user turn."""

from collections.abc import Sequence
from pathlib import Path

from stages.benchmarks.schema import BenchmarkItem
from stages.evaluate.params import EvaluateParams
from stages.evaluate.retrieval import TrainingIndex, keyed_rows
from stages.validate.schema import TrainingRow

TEMPLATE = Path(__file__).with_name("few_shot.jinja")


def few_shot_questions(
    items: Sequence[BenchmarkItem], train: Sequence[TrainingRow], shots: int, params: EvaluateParams
) -> list[str]:
    """The items' questions, each after its `shots` nearest rows of the same key kind, the nearest last."""
    if not shots:
        return [item.question for item in items]
    indices = {kind: _index(train, kind, params.shot_characters) for kind in sorted({item.key_kind for item in items})}
    template = _template()
    questions = []
    for item in items:
        index = indices[item.key_kind]
        nearest = index.nearest(item.question, shots)[::-1] if index else []
        shown = [{"instruction": row.instruction, "key": ", ".join(row.answer_key)} for row in nearest]
        questions.append(template.render(shots=shown, question=item.question, prefix=params.answer_prefix))
    return questions


def _index(train: Sequence[TrainingRow], key_kind: str, most_characters: int) -> TrainingIndex | None:
    rows = [row for row in keyed_rows(train, key_kind) if len(row.instruction) <= most_characters]
    return TrainingIndex(rows, [row.instruction for row in rows]) if rows else None


def _template():  # type: ignore[no-untyped-def]
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, autoescape=False).from_string(TEMPLATE.read_text(encoding="utf-8"))
