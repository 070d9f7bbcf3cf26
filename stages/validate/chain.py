"""The chain behind one training row: task, sources, evidence, format, requests, decision, licence.

Read from the tables and files of the build alone; what a table names and another lacks is listed under `broken`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.errors import InputError
from stages.ground.schema import WEB
from stages.licences import STRICTNESS, load_classes, strictest
from stages.tables import file_sha256
from stages.validate.lookup import Record, find, find_all, near_ids
from stages.validate.safety import disarmed
from stages.validate.web_pages import TYPE, pages

STAGES = Path(__file__).parents[1]
ROWS = ("data/enrich/rows.parquet", "data/synthesize/rows.parquet")
SETS = ("data/validate/train.parquet", "data/validate/dev.parquet")
APART = "data/validate/by_licence.parquet"  # rows of licence classes that have a split of their own
REJECTS = "data/validate/rejects.parquet"
LABELS = "data/label/labels.parquet"
CALLERS = ("formats", "ground", "enrich", "synthesize", "label")
_RECORD = ("source", "version", "uri", "licence")
SYNTHESIS = {"synthesis-evolved": "evolve", "synthesis-new": "self-instruct"}


def trace(row_id: str) -> dict[str, Any]:
    """The whole chain as plain data. Raises InputError with near ids for a row that the build does not have."""
    path, row = _row(row_id)
    evidence = _evidence(row)
    sources = _sources(row, evidence)
    chain = {
        "row": _fate(path, row),
        "task": _task(row),
        "sources": sources,
        "read_from": {name: files for name, files in origins().items() if name in _source_names(sources)},
        "evidence": evidence,
        "format": _format(row),
        "requests": _requests(row),
        "decision": {name: row[name] for name in ("decision", "reasons", "readability", "factuality")},
        "licence": _licence(row, sources, evidence),
    }
    return {**chain, "broken": _broken(chain)}


def _row(row_id: str) -> tuple[str, Record]:
    """The enriched or synthesized row: those that were dropped later are still there."""
    found = find_all(ROWS, "id", [row_id])
    if found:
        return found[0]
    tables = [path for path in ROWS if Path(path).exists()]
    if not tables:
        raise InputError(f"{ROWS[0]} does not exist.", remedy="Run `dvc repro`, which makes it.")
    near = [one for path in tables for one in near_ids(path, row_id)]
    raise InputError(
        f"No row has the id `{row_id}`.",
        allowed=f"near ids: {', '.join(near[:3])}" if near else f"an id of {' or '.join(tables)}",
        remedy="Take an id from data/validate/train.parquet, dev.parquet or rejects.parquet.",
    )


def _fate(path: str, row: Record) -> Record:
    """Where the row ended: its set, or the split of its licence, with the text as trained, or why it is in none."""
    base = {name: row[name] for name in ("id", "family", "subject", "split", "labels", "key_kind", "answer_key")}
    final = find_all([*SETS, APART], "id", [row["id"]])
    dropped = find_all([REJECTS], "record", [row["id"]])
    reason = {"reason": dropped[0][1]["reason"], "detail": dropped[0][1]["detail"]} if dropped else {}
    state = _set_of(*final[0]) if final else "dropped" if dropped else "not validated"
    text = final[0][1] if final else row
    shown = {name: disarmed(text[name]) for name in ("instruction", "answer")}
    return {**base, "table": path, "set": state, **reason, **shown}


def _set_of(path: str, row: Record) -> str:
    return f"{row['licence_class']} {row['split']}" if path == APART else Path(path).stem


def _task(row: Record) -> Record:
    """The task's entry in the catalogue, and its phrasings; or the method of the second step."""
    from ruamel.yaml import YAML

    if row["task"] in SYNTHESIS:
        return {"name": row["task"], "generator": f"stages.synthesize, method {SYNTHESIS[row['task']]}"}
    table = YAML(typ="safe", pure=True).load((STAGES / "tasks/tasks.yaml").read_text(encoding="utf-8"))
    entry = table.get(row["task"])
    if entry is None:
        return {"name": row["task"], "generator": ""}
    phrasings = STAGES / "tasks/phrasings" / f"{row['task']}.yaml"
    return {
        "name": row["task"],
        "generator": f"stages.tasks.{entry['generator']}",
        "rests_on": entry["relation"],
        "phrasings": _file(phrasings),
    }


def _sources(row: Record, evidence: Record) -> list[Record]:
    """Every entity whose facts the row uses, and those of the evidence that was used, with the records that made it.

    Several sources may have one record each of an entity: the graph joins them, and their licences.
    """
    used = [one["entity_id"] for one in evidence["passages"] if one["state"] == "used"]
    wanted = list(dict.fromkeys([*row["entity_ids"], *used]))
    known = {one["id"]: one for one in find("data/graph/entities.parquet", "id", wanted)}
    fetched = [one for _, one in find_all(["data/ingest/entities.parquet"], "id", wanted)]
    read = pages(one for one in wanted if one not in known)
    classes, sources = load_classes(), []
    for entity_id in wanted:
        if entity_id in read:
            sources.append(_page(read[entity_id], strictest([read[entity_id]["licence"]], classes)))
            continue
        if entity_id not in known:
            sources.append({"entity": entity_id, "exists": False})
            continue
        one = {name: known[entity_id][name] for name in ("type", "name", "source", "version", "uri", "licence", "published")}
        records = [{name: record[name] for name in _RECORD} for record in fetched if record["id"] == entity_id]
        kind = strictest([one["licence"]], classes)
        sources.append({"entity": entity_id, "exists": True, **one, "class": kind, "records": records})
    return sources


def _page(page: Record, kind: str) -> Record:
    """A page of the web as a source: its snapshot is in the build."""
    facts = {"type": TYPE, "name": page["title"], "source": WEB, "version": page["retrieved"], "uri": page["final_url"]}
    terms = {"licence": page["licence"], "class": kind, "published": ""}
    return {"entity": page["id"], "exists": True, **facts, **terms, "sha256": page["sha256"], "records": []}


def _source_names(sources: Sequence[Record]) -> set[str]:
    return {record["source"] for one in sources for record in [one, *one.get("records", [])] if "source" in record}


def origins() -> dict[str, list[str]]:
    """Source -> the pinned files that it was read from, as ingest's manifest records them."""
    path = Path("data/ingest/manifest.json")
    if not path.exists():
        return {}
    config = msgspec.json.decode(path.read_bytes())["config"]["ingest"]
    pins, found = config.get("pins", {}), {}
    for name, source in config.get("sources", {}).items():
        named = sorted({file.get("pin", "") for file in (source.get("files") or {}).values() if isinstance(file, dict)})
        found[name] = [_pin(pin, pins[pin]) for pin in named if pin in pins]
    return found


def _pin(name: str, pin: Record) -> str:
    place = pin.get("url") or pin.get("path") or pin.get("name") or name
    checksum = f"sha256 {pin['sha256']}" if pin.get("sha256") else ""
    return " ".join(part for part in (pin.get("kind"), place, pin.get("version"), checksum) if part)


def _evidence(row: Record) -> Record:
    """Grounding documents and passages: used in a kept rewrite, shown for one that was not kept, or found only."""
    grounded = find_all(["data/ground/rows.parquet"], "row_id", [row["id"]])
    passages = [one for _, one in find_all(["data/ground/evidence.parquet"], "row_id", [row["id"]])]
    shown = set(row["evidence_ids"])
    state = "used" if row["decision"] == "rewritten" else "tried"
    kept = [
        {"text": disarmed(one["text"])}
        | {name: one[name] for name in ("passage_id", "entity_id", "uri", "licence", "rank", "query")}
        | {"state": state if one["passage_id"] in shown else "found", "kind": "passage" if one["query"] else "document"}
        for one in passages
    ]
    lost = sorted(shown - {one["passage_id"] for one in passages})
    plan = {name: grounded[0][1][name] for name in ("queries", "kept_queries", "document_ids")} if grounded else {}
    summary = disarmed(grounded[0][1].get("summary", "")) if grounded else ""
    return {**plan, "summary": summary, "passages": kept, "lost": lost}


def _format(row: Record) -> Record | None:
    """The reasoning format of the task, with its file where it is one of the library; None for rows that have none."""
    found = find_all(["data/formats/formats.parquet"], "task", [row["task"]])
    if not found:
        return None
    form = {name: found[0][1][name] for name in ("status", "version", "sha256", "author", "reviewer", "date")}
    path = STAGES / "formats/library" / f"{row['task']}.yaml"
    ours = _file(path)
    applied = row.get("format_sha256") or (form["sha256"] if row["rewrite"] else "")
    same = bool(ours) and ours["sha256"] == form["sha256"]
    return {**form, "file": ours["file"] if ours else "", "file_is_this_version": same, "applied": applied == form["sha256"]}


def _requests(row: Record) -> list[Record]:
    """Every request that made or judged the row, or labelled it, with the prompt file of its purpose."""
    hashes = list(dict.fromkeys([*row["request_hashes"], *_labelling(row["id"])]))
    tables = [f"data/{stage}/responses.parquet" for stage in CALLERS]
    answers = {one["key"]: (path, one) for path, one in find_all(tables, "key", hashes)}
    requests = []
    for key in hashes:
        if key not in answers:
            requests.append({"hash": key, "exists": False})
            continue
        path, one = answers[key]
        facts = {name: one[name] for name in ("model", "finish_reason", "prompt_tokens", "completion_tokens")}
        prompt = _prompt(one["namespace"])
        requests.append({"hash": key, "exists": True, "purpose": one["namespace"], **facts, "prompt": prompt, "table": path})
    return requests


def _labelling(row_id: str) -> list[str]:
    """The keys of the requests that labelled a row. Raises InputError for a table of an older version, which has none."""
    labels = find_all([LABELS], "row_id", [row_id])
    if any("request_hashes" not in one for _, one in labels):
        raise InputError(
            f"{LABELS} is of another version: it has no column `request_hashes`.", remedy="Run `dvc repro label`, which makes it."
        )
    return [key for _, one in labels for key in one["request_hashes"]]


def _prompt(purpose: str) -> Record | None:
    """The prompt file of `stage.purpose`; a stage with one prompt file uses it for all."""
    stage, _, name = purpose.partition(".")
    files = sorted((STAGES / stage / "prompts").glob("*.txt"))
    named = [path for path in files if path.stem.replace("_", "-") == name.replace("_", "-")]
    chosen = named or (files if len(files) == 1 else [])
    return _file(chosen[0]) if chosen else None


def _licence(row: Record, sources: Sequence[Record], evidence: Record) -> Record:
    """The strictest class of the parts, told from the parts and as the row records it.

    Of evidence the passage counts, not its whole entity: an entity may join texts of several licences.
    """
    parts = [(one["entity"], one["licence"]) for one in sources if one["exists"] and one["entity"] in row["entity_ids"]]
    parts += [(one["passage_id"], one["licence"]) for one in evidence["passages"] if one["state"] == "used"]
    classes = load_classes()
    of_parts = strictest([licence for _, licence in parts], classes)
    recorded = strictest(row["licences"], classes)
    deciding = sorted({licence for _, licence in parts if strictest([licence], classes) == of_parts})
    names = sorted({licence for _, licence in parts})
    return {
        "class": max((of_parts, recorded), key=STRICTNESS.index),
        "decided_by": deciding,
        "licences": names,
        "recorded": row["licences"],
        "agrees": of_parts == recorded and set(names) <= set(row["licences"]),
    }


def _broken(chain: dict[str, Any]) -> list[str]:
    """What the chain names and the build does not have."""
    found = [f"entity {one['entity']} is not in the graph" for one in chain["sources"] if not one["exists"]]
    found += [f"evidence {one} is not in data/ground/evidence.parquet" for one in chain["evidence"]["lost"]]
    found += [f"request {one['hash']} has no stored response" for one in chain["requests"] if not one["exists"]]
    if not chain["task"]["generator"]:
        found.append(f"task {chain['task']['name']} is not in stages/tasks/tasks.yaml")
    if not chain["licence"]["agrees"]:
        found.append("the row's licences are not those of its parts")
    return found


def _file(path: Path) -> Record | None:
    """A file of the repository, with the hash of what it holds now."""
    return {"file": str(path.relative_to(STAGES.parent)), "sha256": file_sha256(path)} if path.exists() else None
