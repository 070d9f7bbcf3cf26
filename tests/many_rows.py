"""As many small grounded rows as wanted, and the two stages over them: what is asked when one row or one format changes.

write_many(root, 300); write_params(root, server.base_url); run_stages(root)
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ingest.schema import Entity, Link, Passage
from stages.tables import content_id, file_sha256, read_table, write_table
from stages.tasks.schema import InstructionRow
from tests.obedient import Messages
from tests.toy_rows import make_entity, make_format, make_item, make_passage, make_row

ROOT = Path(__file__).parents[1]
TASKS = ("cve-to-cwe", "is-remote", "describe")
IN_FLIGHT = 8  # calls at once
PURPOSES = {  # by what the system prompt says
    "write search queries": "queries", "which search queries": "filter", "who rewrites answers": "rewrite",
    "how readable": "judge", "keeps the facts": "judge",
}  # fmt: skip
TABLES = ("data/ground/rows", "data/ground/evidence", "data/ground/responses", "data/enrich/rows", "data/enrich/responses")
_NUMBER = re.compile(r"\bnumber (\d+)\b")


def write_many(root: Path, count: int) -> list[InstructionRow]:
    """Inputs of `ground` and `enrich` with `count` rows of three tasks, ten rows to a passage; each row names its number."""
    rows = [row_of(number) for number in range(count)]
    groups = {
        f"note:{number // 10}": f"The {word('group', number // 10)} handler is confined since the patch."
        for number in range(count)
    }
    ids = ["cwe:CWE-79", "cve:CVE-2020-0001", *groups]
    write_table(root / "data/tasks/rows.parquet", rows, InstructionRow)
    write_formats(root, [make_format(task) for task in TASKS])
    write_table(root / "data/ingest/passages.parquet", [make_passage(one, text) for one, text in groups.items()], Passage)
    write_table(root / "data/graph/splits.parquet", [Split(entity_id=one, split="train") for one in ids], Split)
    write_table(root / "data/graph/entities.parquet", map(make_entity, ids), Entity)
    write_table(root / "data/graph/links.parquet", [], Link)
    write_table(root / "data/benchmarks/items.parquet", [make_item("What is it?")], BenchmarkItem)
    return rows


def row_of(number: int) -> InstructionRow:
    """A short row whose question has words of its own, and one that it shares with nine others and their passage."""
    own, group = word("own", number), word("group", number // 10)
    said = f"Product {own} number {number} of the {group} family lets remote attackers abuse the {word('part', number)} handler."
    told = f"{said} Its {word('part', number)} handler trusts what it reads."
    made: dict = {
        "cve-to-cwe": (f"Which weakness? {said}", f"{told}\nFinal answer: CWE-79", "cwe", ["CWE-79"]),
        "is-remote": (f"Is this remote? {said}", f"{told}\nFinal answer: Yes", "yes-no", ["Yes"]),
        "describe": (f"Describe the flaw. {said}", told, "none", []),
    }
    task = TASKS[number % 3]
    instruction, answer, kind, key = made[task]
    return make_row(instruction, answer, task=task, key_kind=kind, answer_key=key)


def word(kind: str, number: int) -> str:
    """Letters that nothing else has."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in content_id(kind, str(number))[:10])


def write_formats(root: Path, formats: Sequence[Format]) -> None:
    """The table of formats."""
    write_table(root / "data/formats/formats.parquet", formats, Format)


def write_params(root: Path, url: str, in_flight: int = IN_FLIGHT) -> None:
    """One server in both roles; every row is grounded and rewritten."""
    endpoint = f'[{{base_url: "{url}", max_concurrency: {in_flight}}}]'
    (root / "params.yaml").write_text(
        "llm:\n  teacher: {provider: openai, model: teacher, repetition_penalty: 1.0, max_tokens: 400}\n"
        "  judge: {provider: openai, model: judge, repetition_penalty: 1.0, max_tokens: 64}\n"
        "ground: {rows: 0, engines: [bm25]}\n"
        f"runtime: {{concurrency: {in_flight}, endpoints: {{teacher: {endpoint}, judge: {endpoint}}}}}\n"
    )


def change_row(root: Path, number: int) -> InstructionRow:
    """Another wording of the question of row `number`: a new row in its place."""
    rows = read_table(root / "data/tasks/rows.parquet", InstructionRow)
    place = next(place for place, row in enumerate(rows) if _NUMBER.search(row.instruction)[1] == str(number))  # type: ignore[index]
    changed = msgspec.structs.replace(
        rows[place], id=f"{rows[place].id}-changed", instruction=f"{rows[place].instruction} Be exact."
    )
    write_table(root / "data/tasks/rows.parquet", [*rows[:place], changed, *rows[place + 1 :]], InstructionRow)
    return changed


def change_format(root: Path, task: str) -> None:
    """Another first step in the format of one task."""
    formats = read_table(root / "data/formats/formats.parquet", Format)
    write_formats(
        root, [make_format(task, steps=["Say what is described.", *form.steps[1:]], sha256="1") if form.task == task else form for form in formats]
    )  # fmt: skip


def start_stage(root: Path, stage: str) -> "subprocess.Popen[str]":
    """The stage as a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", f"stages.{stage}"], cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip


def run_stages(root: Path, stages: Sequence[str] = ("ground", "enrich")) -> None:
    """Each to its end."""
    for stage in stages:
        process = start_stage(root, stage)
        said, _ = process.communicate()
        assert process.returncode == 0, said


def purpose_of(messages: Messages) -> str:
    """What a request is for."""
    return purpose_said(messages[0]["content"])


def purpose_said(system: str) -> str:
    """What requests with this system prompt are for."""
    return next((purpose for words, purpose in PURPOSES.items() if words in system), "other")


def number_of(messages: Messages) -> str:
    """Which row a request is about; empty for a calibration."""
    found = _NUMBER.search(messages[-1]["content"]) or _NUMBER.search("".join(message["content"] for message in messages))
    return found[1] if found else ""


def hashes(root: Path) -> dict[str, str]:
    """Of every table and of the metrics, which a repeated run must give again."""
    files = [*(root / f"{table}.parquet" for table in TABLES), *sorted((root / "metrics").glob("*.json"))]
    return {str(file.relative_to(root)): file_sha256(file) for file in files}
