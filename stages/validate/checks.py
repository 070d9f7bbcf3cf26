"""What every table must be, declared as data: one `Check` per expectation, with its severity and remedy.

`critical` stops the build; `warning` is counted and reported. Columns that start with `is_` are computed by
`stages.validate.frames`: facts that no single column shows, such as an id that exists in the graph.
"""

from typing import Any, Literal

import msgspec

Severity = Literal["critical", "warning"]


class Check(msgspec.Struct, frozen=True):
    """One expectation. `kind` is the name of a Great Expectations class without `Expect`."""

    kind: str
    column: str  # empty for expectations about the whole table
    severity: Severity
    remedy: str
    arguments: dict[str, Any] = {}
    shows: str = ""  # the column whose value explains an offending row, where it is not `column`

    @property
    def name(self) -> str:
        """`ColumnValuesToBeUnique(id)`: how reports name the check."""
        return f"{self.kind}({self.column})"


def checks_of(table: str, letter_excess: float) -> list[Check]:
    """The suite of `table`: entities, links, passages, splits, items, formats, tasks, rows, evidence, train, dev, clusters or safety."""
    suites = {
        "entities": _ENTITIES,
        "links": _LINKS,
        "passages": _PASSAGES,
        "splits": _SPLITS,
        "formats": _FORMATS,
        "tasks": [*_TASKS, *_letters(letter_excess, "right options are not balanced: see stages/tasks")],
        "items": [*_ITEMS, *_letters(letter_excess, "the benchmark's options are not balanced: see stages/benchmarks")],
        "rows": [*_ROWS, *_letters(letter_excess, "right options are not balanced: see stages/tasks")],
        "evidence": _EVIDENCE,
        "train": _TRAINING,
        "dev": _TRAINING,
        "clusters": _CLUSTERS,
        "safety": _SAFETY,
    }
    return suites[table]


def _unique(column: str, remedy: str) -> Check:
    return Check("ColumnValuesToBeUnique", column, "critical", remedy)


def _text(column: str, low: int, high: int | None, severity: Severity, remedy: str) -> Check:
    bounds = {"min_value": low} if high is None else {"min_value": low, "max_value": high}
    return Check("ColumnValueLengthsToBeBetween", column, severity, remedy, bounds)


def _true(column: str, shows: str, severity: Severity, remedy: str) -> Check:
    return Check("ColumnValuesToBeInSet", column, severity, remedy, {"value_set": [True]}, shows)


def _one_of(column: str, values: list[str], severity: Severity, remedy: str) -> Check:
    return Check("ColumnValuesToBeInSet", column, severity, remedy, {"value_set": values})


def _matches(column: str, regex: str, remedy: str) -> Check:
    return Check("ColumnValuesToMatchRegex", column, "critical", remedy, {"regex": regex})


def _letters(excess: float, remedy: str) -> list[Check]:
    return [Check("ColumnValuesToBeBetween", "letter_excess", "warning", remedy, {"max_value": excess}, "letter")]


_NOT_EMPTY = Check("TableRowCountToBeBetween", "", "critical", "the stage before wrote an empty table", {"min_value": 1})
_ENTITY_ID = r"^[a-z0-9-]+:\S+"  # a source of another profile may bring its own prefix

_ENTITIES = [
    _NOT_EMPTY,
    _unique("id", "two records share an id: see stages/graph"),
    _matches("id", _ENTITY_ID, "an id needs a known prefix: see the reader of its source"),
    _text("type", 1, 60, "critical", "an entity without a type: see the reader of its source"),
    _text("name", 1, 400, "warning", "an entity without a name, or with a text as its name"),
    _text("text", 0, 60_000, "warning", "a text this long was not split into sections"),
    _text("licence", 1, 200, "critical", "an entity without a licence cannot be used"),
    _text("source", 1, 100, "critical", "an entity without a source cannot be followed back"),
    _text("uri", 1, 2_000, "warning", "people cannot read an entity without an address"),
    Check("ColumnValuesToMatchRegex", "published", "warning", "dates are ISO: YYYY or YYYY-MM-DD...", {"regex": r"^(?:\d{4}(?:-\d{2}(?:-\d{2}.*)?)?)?$"}),
    _true("is_clean", "text", "warning", "citations or link syntax are left in the text: see stages/ingest"),
]  # fmt: skip

_LINKS = [
    _NOT_EMPTY,
    _unique("link", "the same statement twice: see stages/graph"),
    _true("is_subject_known", "subject", "critical", "the subject is no entity of the graph: see stages/graph"),
    _true("is_object_known", "object", "critical", "the object is no entity of the graph: see stages/graph"),
    _true("is_not_loop", "link", "critical", "an entity linked to itself: see stages/graph"),
    _text("relation", 1, 40, "critical", "a link without a relation"),
    _text("licence", 1, 200, "critical", "a link without a licence cannot be used"),
    _text("source", 1, 100, "critical", "a link without a source cannot be followed back"),
]

_SPLITS = [
    _NOT_EMPTY,
    _unique("entity_id", "a subject document in two splits: see stages/graph"),
    _one_of("split", ["train", "dev", "heldout"], "critical", "a split nobody reads: see stages/graph"),
    _true("is_known", "entity_id", "critical", "the split of an entity that the graph lacks"),
]

_ITEMS = [
    _unique("id", "two items share an id: see stages/benchmarks"),
    _text("question", 10, 20_000, "critical", "an item without a question"),
    _text("keys", 1, None, "critical", "an item without a key cannot be scored"),
    _true("is_heldout", "subject", "critical", "the item's subject is not held out: it may have been trained"),
    _true("is_key_offered", "keys", "critical", "the key is no letter of the options, or no CWE id"),
    _true("is_options_distinct", "question", "critical", "an option stands there twice"),
]

_PASSAGES = [
    _NOT_EMPTY,
    Check(
        "ColumnValuesToBeUnique", "id", "warning", "two passages share an id, and retrieval may show either: see stages/ingest"
    ),
    _true("is_entity_known", "entity_id", "critical", "a passage of an entity that the graph lacks: see stages/graph"),
    _true("is_part_of_entity", "id", "critical", "the id does not lead back to the entity: see stages/ingest"),
    _text("text", 1, 30_000, "critical", "an empty passage: see stages/ingest"),
    _text("title", 1, 400, "warning", "a passage without a title"),
    _text("licence", 1, 200, "critical", "a passage without a licence cannot be used"),
    _text("source", 1, 100, "critical", "a passage without a source cannot be followed back"),
    _text("version", 1, 100, "warning", "a passage without the version of its source"),
    _text("uri", 1, 2_000, "warning", "people cannot read a passage without an address"),
]

_FORMATS = [
    _unique("task", "two formats for one task: see stages/formats"),
    _one_of("status", ["approved", "draft"], "critical", "a status nobody reads: see stages/formats"),
    _text("introduction", 10, 4_000, "critical", "a format that does not say what the task is"),
    Check(
        "ColumnValuesToBeBetween",
        "steps",
        "critical",
        "a format has one step to twenty",
        {"min_value": 1, "max_value": 20},
        "task",
    ),
    _true("is_step_told", "task", "critical", "an empty step"),
    _true("is_reviewed", "task", "critical", "an approved format names its reviewer and the date"),
    _matches("sha256", r"^[0-9a-f]{64}$", "no hash: the format cannot be followed back"),
    _matches("answer_line", r"^$|\{key\}", "the last line has no place for the key"),
    _true("is_counted", "task", "critical", "versions of approved formats count from 1; 0 is a draft that no file holds"),
]

_KEY_KINDS = ["letter", "yes-no", "cwe", "technique", "id", "vector", "none"]

# What holds of a row before enrichment and after it.
_BOTH = [
    _NOT_EMPTY,
    _text("instruction", 10, 20_000, "critical", "a row without an instruction: see stages/tasks"),
    _text("answer", 1, 30_000, "critical", "a row without an answer: see stages/tasks and stages/enrich"),
    _one_of("split", ["train", "dev"], "critical", "held-out subjects make no rows: see stages/tasks"),
    _one_of("key_kind", _KEY_KINDS, "critical", "no extractor checks this kind: see stages/tasks"),
    _true("is_not_heldout", "subject", "critical", "the subject is held out for a benchmark: see stages/tasks"),
    _true("is_split_of_subject", "subject", "critical", "the row is in another split than its subject document"),
    _true("is_entities_known", "entities", "critical", "an entity id that the graph lacks: see stages/tasks"),
    _true("is_key_in_final_line", "final_line", "critical", "the line `Final answer:` is missing or differs from the key"),
    _true("is_licensed", "id", "critical", "a row without a licence cannot be used: see stages/tasks"),
]

_TASKS = [
    *_BOTH,
    _unique("id", "two instruction rows share an id: see stages/tasks"),
    _true(
        "is_id_of_content",
        "id",
        "warning",
        "the id is not that of task, instruction and answer: the row was changed after it was made",
    ),
    _true("is_subject_first", "subject", "warning", "the first entity is not the subject: see stages/tasks"),
    _true("is_documents_known", "id", "critical", "a grounding document that the graph lacks: see stages/tasks"),
    _true("is_formatted", "task", "warning", "a task without a format: see stages/formats"),
]

_ROWS = [
    *_BOTH,
    _unique("id", "two rows share an id: see stages/enrich"),
    _text("answer", 1, 6_000, "warning", "an answer this long will be cut by the training context"),
    _one_of("decision", ["rewritten", "template", "not-selected", "synthesized"], "critical", "a decision nobody reads: see stages/enrich"),
    Check("ColumnValuesToBeBetween", "factuality", "critical", "factuality is 1-10 or absent", {"min_value": 1, "max_value": 10}),
    _true("is_rewrite_consistent", "decision", "critical", "the answer is neither the template nor the kept rewrite"),
    _true("is_row_of_tasks", "id", "critical", "no instruction row has this id, question, key and template answer: see stages/enrich"),
    _true("is_complete", "answer", "warning", "the answer does not end like a sentence: it was cut, or its source has no full stop"),
]  # fmt: skip

_EVIDENCE = [
    _true("is_row_known", "row_id", "warning", "evidence of a row that enrich did not write: it may stand in its rejects"),
    _true("is_entity_known", "entity_id", "critical", "evidence from no entity of the graph and no page of the web"),
    _unique("pair", "the same passage twice for one row: see stages/ground"),
    _text("text", 1, 30_000, "critical", "an empty passage: see stages/ground"),
    _text("licence", 1, 200, "critical", "evidence without a licence cannot be used"),
    _text("uri", 1, 2_000, "warning", "people cannot read evidence without an address"),
    Check("ColumnValuesToBeBetween", "rank", "critical", "ranks start at 1", {"min_value": 1}),
]

_TRAINING = [
    _unique("id", "two training rows share an id"),
    _text("instruction", 10, 20_000, "critical", "a training row without an instruction"),
    _text("answer", 1, 30_000, "critical", "a training row without an answer"),
    _true("is_key_in_final_line", "final_line", "critical", "the line `Final answer:` is missing or differs from the key"),
    _true("is_clean", "instruction", "critical", "a control token is left in the text: see stages/validate/safety.py"),
]

_CLUSTERS = [
    _unique("row", "a row in two clusters: see stages/validate/duplicates.py"),
    _one_of("kind", ["", "exact", "near", "semantic"], "critical", "a kind nobody reads: see stages/validate/duplicates.py"),
    Check("ColumnValuesToBeBetween", "similarity", "critical", "a similarity is 0-1", {"min_value": 0, "max_value": 1.0001}),
    _true("is_kept_where_told", "row", "critical", "a row that the table calls dropped is in a set, or the other way round"),
    _true("is_headed_by_kept", "cluster", "critical", "every twin went: see stages/validate/duplicates.py"),
]

_SAFETY = [
    _true("is_row_known", "row", "critical", "a finding in no row that came in: see stages/validate/safety.py"),
    _text("kind", 1, 40, "critical", "a finding without a kind"),
    _text("rule", 1, 80, "critical", "a finding without a rule"),
    _one_of("field", ["instruction", "answer"], "critical", "a field nobody reads: see stages/validate/safety.py"),
    _text("sample", 0, 200, "critical", "a sample longer than people read: it may hold more than the place"),
]
