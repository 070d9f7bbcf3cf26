"""Small tables in the shape of the pipeline's own, written for these tests."""

import random
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.enrich.schema import EnrichedRow
from stages.graph.schema import Split
from stages.ground.schema import Evidence
from stages.ingest.schema import Entity, Link
from stages.tables import content_id

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
        "id": content_id("task", instruction, answer),
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
