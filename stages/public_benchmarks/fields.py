"""Which field of a table holds the responses, and the text of a response in whatever shape a server or a harness wrote it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.public_benchmarks.declarations import Columns
from stages.public_benchmarks.placing import ID_FIELDS, PLACE_FIELDS
from stages.validate.loose_tables import BEYOND, Record

FIELDS = (
    "response", "responses", "output", "outputs", "model_output", "model_response", "completion", "completions", "generation", "generated_text",
    "generated", "answer_text", "prediction", "predictions", "predicted", "predict", "model_answer", "llm_answer", "llm_response", "filtered_resps",
    "resps", "result", "results", "choices", "candidates", "messages", "message",
)  # fmt: skip
WEAK = ("answer", "answers", "text", "content")  # may as well be the key or the question: taken if there is no other
ABOUT = (
    "gt", "key", "gold", "target", "label", "reference", "solution", "ground_truth", "correct", "correct_answer", "expected",
    "url", "prompt", "question", "description", "instruction", "input", "options", "system", "doc", "arguments",
    "model", "model_name", "object", "created", "usage", "error", "status", "finish_reason", "latency", "time", "timestamp", "cost",
    "prompt_tokens", "completion_tokens", "total_tokens", "benchmark", "dataset", "task", "split", "seed", "temperature",
    "subject", "category", "topic", "n",
)  # fmt: skip
INNER = (
    "body", "choices", "candidates", "message", "content", "parts", "text", "output_text", "result", "output", "generated_text", "response",
)  # fmt: skip
_DEEPEST = 12


def choose_field(path: Path, records: Sequence[Record], columns: Columns) -> str:
    """The field that holds the responses, whatever its case: one of FIELDS, or the only one that is nothing else.

    A column that the benchmark itself declares is never taken (but for `answer` in a table without questions): it holds
    questions or keys. Raises InputError if the field cannot be told.
    """
    names = field_names(records)
    by_case = {name.casefold(): name for name in reversed(names)}
    own = {
        name.casefold() for name in (columns.question, columns.answer, *columns.options, columns.prompt, columns.system) if name
    }
    strong = [by_case[field] for field in FIELDS if field in by_case and field not in own]
    left = [name for name in names if name.casefold() not in {*own, *ABOUT, *ID_FIELDS, *PLACE_FIELDS, BEYOND}]
    if not left and columns.question.casefold() not in by_case:
        left = [by_case[columns.answer.casefold()]] if columns.answer.casefold() in {*by_case} & {*WEAK} else []
    if not strong and len(left) != 1:
        raise InputError(
            f"{path}: cannot tell which field is the response.", allowed=", ".join(names), remedy="Name it with --field."
        )
    return strong[0] if strong else left[0]


def field_names(records: Sequence[Record]) -> list[str]:
    """All fields of a table, sorted."""
    return sorted({str(name) for record in records for name in record if name is not None})


def text_of(value: Any, depth: int = 0) -> str | None:
    """The response as text; None for a shape that holds none.

    A list is its first text (lm-evaluation-harness), the assistant's last turn (a chat) or all its parts of text; an object is
    what its answer stands in: a chat message, the reply of a server, a line of a batch (`response.body.choices`).
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        inner = next((value[name] for name in INNER if value.get(name) is not None), None)
        return None if inner is None or depth > _DEEPEST else text_of(inner, depth + 1)
    if isinstance(value, list | tuple):
        return _text_of_list(value, depth)
    return str(value)


def _text_of_list(values: Sequence[Any], depth: int) -> str | None:
    if not values:
        return ""
    if depth > _DEEPEST:
        return None
    turns = [one for one in values if isinstance(one, dict) and one.get("role") in ("assistant", "model")]
    parts = [one for one in values if isinstance(one, dict) and one.get("type") in ("text", "output_text")]
    if turns:
        return text_of(turns[-1], depth + 1)
    if parts:
        return "".join(text_of(one, depth + 1) or "" for one in parts)
    return text_of(values[0], depth + 1)
