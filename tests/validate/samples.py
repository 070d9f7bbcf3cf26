"""Small tables in the shape of the pipeline's own, written for these tests."""

import random
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity, Link, Passage
from stages.tables import content_id, write_table
from stages.tasks.schema import InstructionRow
from stages.validate.inspect_tables import PATHS, TYPES
from tests.toy_rows import make_format

_VOCABULARY = (
    "attacker parser buffer request header session token cookie upload directory kernel driver cluster policy secret archive "
    "registry service account tenant gateway firmware router camera printer library plugin template query index cache socket "
    "thread scheduler invoice ledger portal console agent worker pipeline mirror bridge tunnel proxy beacon loader macro script"
)
_WORDS = _VOCABULARY.split()


def sentence(seed: int, words: int = 30) -> str:
    """Text that no other seed gives."""
    return " ".join(random.Random(seed).choices(_WORDS, k=words)) + "."


def row(number: int = 0, **changes: Any) -> EnrichedRow:
    """A row that nothing drops: free text about one weakness, unless `changes` say otherwise."""
    instruction = changes.pop("instruction", f"Explain weakness number {number}: {sentence(number)}")
    answer = changes.pop("answer", f"It arises as follows: {sentence(10_000 + number)}")
    values: dict[str, Any] = {
        "id": content_id(changes.get("task", "cwe-definition"), instruction, changes.get("template_answer", answer)),
        "task": "cwe-definition",
        "family": "cwe",
        "instruction": instruction,
        "answer": answer,
        "template_answer": changes.get("template_answer", answer),
        "rewrite": "",
        "key_kind": "none",
        "answer_key": [],
        "subject": f"cwe:CWE-{number}",
        "entity_ids": [f"cwe:CWE-{number}"],
        "split": "train",
        "labels": ["knowledge"],
        "sources": ["cwe"],
        "licences": ["LicenseRef-MITRE-CWE"],
        "decision": "template",
        "reasons": [],
        "readability": "",
        "factuality": None,
        "format_sha256": "",
        "steps_followed": 0,
        "evidence_ids": [],
        "request_hashes": [],
    }
    return EnrichedRow(**(values | changes))


def mapping_row(number: int, key: str = "CWE-79", **changes: Any) -> EnrichedRow:
    """A row with a checkable answer."""
    answer = changes.pop("answer", f"The text names the cause.\nFinal answer: {key}")
    return row(number, **({"answer": answer, "key_kind": "cwe", "answer_key": [key]} | changes))


def item(number: int = 0, **changes: Any) -> BenchmarkItem:
    """An item about a held-out CVE."""
    values: dict[str, Any] = {
        "id": f"item-{number}",
        "benchmark": "secforge-rcm",
        "task": "cve-to-cwe",
        "question": f"Which weakness is the root cause?\n{sentence(50_000 + number, 40)}",
        "options": [],
        "key": ["CWE-79"],
        "key_kind": "cwe",
        "subject": f"cve:CVE-2031-{1000 + number}",
        "entity_ids": [f"cve:CVE-2031-{1000 + number}"],
        "source": "cwe",
        "licence": "LicenseRef-MITRE-CWE",
    }
    return BenchmarkItem(**(values | changes))


def evidence(row_id: str, text: str, **changes: Any) -> Evidence:
    """One passage of a row."""
    values: dict[str, Any] = {
        "row_id": row_id,
        "query": "how it arises",
        "passage_id": f"cwe:CWE-1#{content_id(text)}",
        "entity_id": "cwe:CWE-1",
        "uri": "https://example.org/1",
        "licence": "LicenseRef-MITRE-CWE",
        "rank": 1,
        "text": text,
    }
    return Evidence(**(values | changes))


def entity(entity_id: str, **changes: Any) -> Entity:
    """A clean entity."""
    values: dict[str, Any] = {
        "id": entity_id,
        "type": "weakness",
        "name": f"Name of {entity_id}",
        "text": "A flaw in how input is read.",
        "fields": {},
        "source": "cwe",
        "version": "1",
        "uri": "https://example.org/1",
        "licence": "LicenseRef-MITRE-CWE",
    }
    return Entity(**(values | changes))


def link(subject: str, object: str, **changes: Any) -> Link:
    """A statement about two entities."""
    values = {
        "subject": subject,
        "relation": "child-of",
        "object": object,
        "text": "",
        "source": "cwe",
        "licence": "LicenseRef-MITRE-CWE",
    }
    return Link(**(values | changes))


def passage(entity_id: str, **changes: Any) -> Passage:
    """A piece of an entity's text."""
    values: dict[str, Any] = {
        "id": f"{entity_id}#description",
        "entity_id": entity_id,
        "title": f"Name of {entity_id}",
        "text": "A flaw in how input is read.",
        "source": "cwe",
        "version": "1",
        "uri": "https://example.org/1",
        "licence": "LicenseRef-MITRE-CWE",
    }
    return Passage(**(values | changes))


def form(task: str, **changes: Any) -> Format:
    """An approved format."""
    return make_format(task, **({"sha256": "0" * 64} | changes))


def task_row(row: EnrichedRow, **changes: Any) -> InstructionRow:
    """The instruction row that an enriched row was made from."""
    shared = ("id", "task", "family", "instruction", "key_kind", "answer_key", "subject", "entity_ids", "split", "labels", "sources", "licences")  # fmt: skip
    values = {name: getattr(row, name) for name in shared}
    entity_ids = list(dict.fromkeys([row.subject, *row.entity_ids]))
    return InstructionRow(**(values | {"answer": row.template_answer, "document_ids": [], "entity_ids": entity_ids} | changes))


def complete(whole: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """`whole` with the instruction rows, passages and formats that go with its rows, unless it has its own."""
    rows = [one for one in whole["rows"] if one.decision != "synthesized"]
    tasks = [task_row(one, entity_ids=one.entity_ids) for one in {one.id: one for one in rows}.values()]
    formats = [form(task) for task in sorted({one.task for one in rows})]
    passages = [passage(one.id) for one in whole["entities"][:20]]
    return {"tasks": tasks, "formats": formats, "passages": passages} | whole


def write_tables(whole: dict[str, list[Any]]) -> None:
    """All inputs of the stage, completed, in the working directory."""
    for name, rows in complete(whole).items():
        write_table(PATHS[name], rows, TYPES[name])


def tables(count: int = 30) -> dict[str, list[Any]]:
    """A whole consistent set of inputs: `count` rows, a tenth of them dev, two items, two passages."""
    entities = [entity(f"cwe:CWE-{number}") for number in range(count)]
    rows = [row(number, split="dev" if number % 10 == 9 else "train") for number in range(count)]
    items = [item(0), item(1)]
    return {
        "entities": entities + [entity(one.subject, type="vulnerability") for one in items],
        "links": [link(f"cwe:CWE-{number}", "cwe:CWE-0") for number in range(1, count)],
        "splits": [Split(entity_id=one.subject, split=one.split) for one in rows]
        + [Split(entity_id=one.subject, split="heldout") for one in items],
        "items": items,
        "rows": rows,
        "evidence": [evidence(rows[0].id, sentence(90_000)), evidence(rows[1].id, sentence(90_001))],
    }
