"""Small rows of every table that grounding and enrichment read, each complete, each changed by keywords."""

from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.formats.schema import Format
from stages.ground.schema import Evidence, GroundedRow
from stages.ingest.schema import Entity, Link, Passage
from stages.tables import content_id
from stages.tasks.schema import InstructionRow


def make_row(instruction: str, answer: str, **changed: Any) -> InstructionRow:
    values: dict[str, Any] = {
        "id": content_id("row", instruction, answer), "task": "cve-to-cwe", "family": "cve", "instruction": instruction,
        "answer": answer, "key_kind": "cwe", "answer_key": ["CWE-79"], "subject": "cve:CVE-2020-0001",
        "entity_ids": ["cve:CVE-2020-0001", "cwe:CWE-79"], "document_ids": [], "split": "train", "labels": [],
        "sources": ["toy"], "licences": ["CC0-1.0"],
    }  # fmt: skip
    return InstructionRow(**{**values, **changed})


def make_format(task: str = "cve-to-cwe", **changed: Any) -> Format:
    values: dict[str, Any] = {
        "task": task, "status": "approved", "introduction": "Shows which flaw causes the vulnerability.",
        "steps": ["State what the description says.", "Name the flaw.", "Conclude."], "instructions": ["Keep sentences short."],
        "answer_line": "Final answer: {key}", "search": True, "document": False, "rewrite": True, "author": "a", "reviewer": "b",
        "date": "2026-01-01", "version": 1, "sha256": "0",
    }  # fmt: skip
    return Format(**{**values, **changed})


def make_passage(entity_id: str, text: str, **changed: Any) -> Passage:
    values: dict[str, Any] = {
        "id": f"{entity_id}#text", "entity_id": entity_id, "title": entity_id, "text": text, "source": "toy", "version": "1",
        "uri": f"https://example.org/{entity_id}", "licence": "CC0-1.0",
    }  # fmt: skip
    return Passage(**{**values, **changed})


def make_entity(entity_id: str, **changed: Any) -> Entity:
    values: dict[str, Any] = {
        "id": entity_id, "type": "weakness", "name": entity_id, "text": "Text.", "fields": {}, "source": "toy-graph", "version": "1",
        "uri": "https://example.org", "licence": "CC0-1.0",
    }  # fmt: skip
    return Entity(**{**values, **changed})


def make_link(subject: str, relation: str, target: str, text: str = "", **changed: Any) -> Link:
    values: dict[str, Any] = {
        "subject": subject, "relation": relation, "object": target, "text": text, "source": "toy", "licence": "CC0-1.0",
    }  # fmt: skip
    return Link(**{**values, **changed})


def make_evidence(row: InstructionRow, text: str, **changed: Any) -> Evidence:
    values: dict[str, Any] = {
        "row_id": row.id, "query": "q", "passage_id": "cwe:CWE-79#text", "entity_id": "cwe:CWE-79", "uri": "https://example.org",
        "licence": "CC-BY-4.0", "rank": 1, "text": text,
    }  # fmt: skip
    return Evidence(**{**values, **changed})


def make_grounded(row: InstructionRow, evidence: int = 1) -> GroundedRow:
    return GroundedRow(
        row_id=row.id, task=row.task, queries=["q"], kept_queries=["q"], document_ids=[], evidence=evidence, request_hashes=["g"]
    )


def make_item(question: str, **changed: Any) -> BenchmarkItem:
    values: dict[str, Any] = {
        "id": content_id(question), "benchmark": "secforge-rcm", "task": "cve-to-cwe", "question": question, "options": [],
        "key": ["CWE-79"], "key_kind": "cwe", "subject": "cve:CVE-2021-9999", "entity_ids": ["cve:CVE-2021-9999"], "source": "toy",
        "licence": "CC0-1.0",
    }  # fmt: skip
    return BenchmarkItem(**{**values, **changed})


def toy_corpus(count: int = 24) -> list[InstructionRow]:
    """Rows of three tasks in two families, with keys of three kinds."""
    rows = []
    for number in range(count):
        thing = ("gallery", "forum", "router", "camera", "printer", "kernel")[number % 6]
        flaw = ("script", "query", "buffer", "pointer")[number % 4]
        text = (
            f"Product {thing} number {number} before 2.{number} lets remote attackers abuse the {flaw} handler in file{number}."
        )
        if number % 3 == 0:
            rows.append(make_row(f"Which weakness? {text}", f"{text} That is the flaw.\nFinal answer: CWE-79"))
        elif number % 3 == 1:
            rows.append(make_row(
                f"Is this remote? {text}", f"Remote attackers abuse the {flaw} handler. So it is remote.\nFinal answer: Yes",
                task="is-remote", family="path", key_kind="yes-no", answer_key=["Yes"],
            ))  # fmt: skip
        else:
            rows.append(make_row(
                f"Describe the flaw. {text}", f"The {flaw} handler of the {thing} is abused. It stands in file{number}.",
                task="describe", key_kind="none", answer_key=[],
            ))  # fmt: skip
    return rows
