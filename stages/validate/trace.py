"""The whole chain behind one row: `python -m stages.validate trace ROW_ID`.

From the row to its task, source records, evidence, reasoning format, requests, decision and licence. Rows that were
dropped are traced too, with the reason. Exits 0 if every link of the chain exists, 1 if one is missing, 2 if there
is no such row.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from stages.errors import SecForgeError
from stages.validate.chain import trace

_EXCERPT = 400


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages.validate trace", description=__doc__.split("\n\n")[0])
    parser.add_argument("row", metavar="ROW_ID", help="id of a row of data/enrich/rows.parquet, kept or dropped")
    parser.add_argument("--json", action="store_true", help="print the chain as JSON, with whole texts")
    options = parser.parse_args(arguments)
    try:
        chain = trace(options.row)
    except SecForgeError as error:
        print(f"[trace] {error}", file=sys.stderr)
        return 2
    print(json.dumps(chain, indent=2, ensure_ascii=False) if options.json else "\n".join(lines_of(chain)))
    return 1 if chain["broken"] else 0


def lines_of(chain: dict[str, Any]) -> Iterator[str]:
    """The chain for people."""
    yield from _row_lines(chain["row"])
    yield from _task_lines(chain["task"])
    yield "sources"
    for one in chain["sources"]:
        yield from _source_lines(one)
    yield from (f"  {name} is read from {file}" for name, files in chain["read_from"].items() for file in files)
    yield from _evidence_lines(chain["evidence"])
    yield from _format_lines(chain["format"])
    yield from _request_lines(chain["requests"])
    yield from _decision_lines(chain["decision"])
    yield from _licence_lines(chain["licence"])
    yield from (f"BROKEN   {one}" for one in chain["broken"])


def _row_lines(row: dict[str, Any]) -> Iterator[str]:
    fate = f"dropped: {row['reason']} ({row['detail']})" if row["set"] == "dropped" else row["set"]
    yield f"row      {row['id']}: {fate}"
    yield f"  from {row['table']}; subject {row['subject']}; key {row['key_kind']} {', '.join(row['answer_key'])}".rstrip()
    for name in ("instruction", "answer"):
        yield f"  {name}: {_short(row[name])}"


def _task_lines(task: dict[str, Any]) -> Iterator[str]:
    rests = f"; rests on {task['rests_on']}" if "rests_on" in task else ""
    yield f"task     {task['name']}: template of {task['generator'] or 'no generator'}{rests}"
    if task.get("phrasings"):
        yield f"  phrasings {_named(task['phrasings'])}"


def _source_lines(one: dict[str, Any]) -> Iterator[str]:
    if not one["exists"]:
        yield f"  {one['entity']}: NOT in the graph"
        return
    yield f"  {one['entity']} {one['name']} ({one['type']}): {one['source']} {one['version']}, {one['licence']} ({one['class']})"
    yield f"    {one['uri'] or 'no address'}"
    if len(one["records"]) > 1:
        yield from (
            f"    joined from {each['source']} {each['version']}, {each['licence']}: {each['uri']}" for each in one["records"]
        )


def _evidence_lines(evidence: dict[str, Any]) -> Iterator[str]:
    if not evidence["passages"]:
        yield "evidence none"
        return
    states = [one["state"] for one in evidence["passages"]]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("used", "tried", "found") if state in states)
    yield f"evidence {counts} (used: in a kept rewrite; tried: shown for one that was not kept; found: not shown)"
    for one in evidence["passages"]:
        asked = f" for `{one['query']}`" if one["query"] else ""
        yield f"  {one['state']} {one['kind']} {one['passage_id']}, rank {one['rank']}{asked}, {one['licence']}: {one['uri']}"
    if evidence["summary"] and {*states} != {"found"}:
        yield f"  the teacher read a summary of these instead: {_short(evidence['summary'])}"


def _format_lines(form: dict[str, Any] | None) -> Iterator[str]:
    if form is None:
        yield "format   none"
        return
    same = "" if form["file_is_this_version"] else " (the file has changed since)" if form["file"] else ""
    use = "applied" if form["applied"] else "not applied to this row"
    yield f"format   {form['status']}, version {form['version']}, {use}: {form['file'] or 'drafted by a model'}{same}"
    yield f"  sha256 {form['sha256']}; author {form['author']}, reviewer {form['reviewer'] or 'none'}, {form['date']}"


def _request_lines(requests: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"requests {len(requests) or 'none'}"
    for one in requests:
        if not one["exists"]:
            yield f"  {one['hash']}: NO stored response"
            continue
        yield f"  {one['purpose']} by {one['model']}, {one['prompt_tokens']} + {one['completion_tokens']} tokens: {one['hash']}"
        yield f"    prompt {_named(one['prompt']) if one['prompt'] else 'made by code'}"


def _decision_lines(decision: dict[str, Any]) -> Iterator[str]:
    reasons = ", ".join(decision["reasons"])
    judged = f"; readability {decision['readability']}, factuality {decision['factuality']}" if decision["readability"] else ""
    yield f"decision {decision['decision']}{f': {reasons}' if reasons else ''}{judged}"


def _licence_lines(licence: dict[str, Any]) -> Iterator[str]:
    yield f"licence  {licence['class']} (strictest of {', '.join(licence['licences']) or 'nothing'}; by {', '.join(licence['decided_by'])})"


def _named(file: dict[str, str]) -> str:
    return f"{file['file']} (sha256 {file['sha256'][:16]})"


def _short(text: str) -> str:
    return textwrap.shorten(text, _EXCERPT, placeholder=" ...")
