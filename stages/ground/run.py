"""The stage, read top to bottom: select rows, clear the passages, index, ground, outputs."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.engine.engine import open_engine
from stages.errors import LLMError
from stages.formats.schema import Format
from stages.graph.schema import Split
from stages.ground.anchors import anchors_of
from stages.ground.core import Grounding, Library, ground_row, group_by_entity
from stages.ground.hygiene import usable_passages
from stages.ground.params import GroundParams
from stages.ground.queries import task_words
from stages.ground.recall.bench import Sources, write_recall
from stages.ground.retriever import open_retriever
from stages.ground.schema import Evidence, GroundedRow
from stages.ground.select import select_rows
from stages.ground.web.leaks import Leaks, leaks_of
from stages.ground.web.schema import Snapshot
from stages.ground.web.search import Account, WebSearch, open_web
from stages.ingest.schema import Link, Passage
from stages.llm.asking import Chat
from stages.llm.failures import CallFailed
from stages.llm.params import LLMParams
from stages.llm.schema import StoredResponse
from stages.llm.spool import Codec, Spool
from stages.llm.used import UsedResponses
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

ENCODER = Path("models/encoder")


def run_ground(stage: Stage) -> None:
    """Evidence is only ever drawn from passages that passed `usable_passages`."""
    params, llm = stage.section("ground", GroundParams), stage.section("llm", LLMParams)
    rows = stage.read("data/tasks/rows.parquet", InstructionRow)
    formats = {form.task: form for form in stage.read("data/formats/formats.parquet", Format)}
    splits = stage.read("data/graph/splits.parquet", Split)
    items = stage.read("data/benchmarks/items.parquet", BenchmarkItem)
    every = stage.read("data/ingest/passages.parquet", Passage)
    passages, left_out = usable_passages(every, splits, items, params.ngram, params.deny)
    links = stage.read("data/graph/links.parquet", Link)
    chosen, passed_over = select_rows(rows, formats, params.rows, params.row_tokens)
    searched, runtime = passages if params.evidence else [], stage.section("runtime", RuntimeParams)
    anchors, sentences = anchors_of(links, searched, splits, items, params.ngram, params.deny, params.anchors)
    retriever = open_retriever(searched, params, ENCODER, runtime, anchors)
    library = Library(retriever, group_by_entity(passages), task_words(rows))
    leaks = leaks_of(items, splits, params.ngram)
    outcomes, responses, metrics, timings = asyncio.run(_ground(stage, chosen, formats, library, leaks, params, llm))
    found = Outcomes(outcomes, chosen)
    stage.write("data/ground/rows.parquet", (one.row for one in found.grounded()), GroundedRow)
    stage.write("data/ground/evidence.parquet", (item for one in found.grounded() for item in one.evidence), Evidence)
    rejects = found.rejects()
    stage.write_rejects("data/ground/rejects.parquet", rejects)
    stage.write("data/ground/responses.parquet", responses, StoredResponse)
    used = {"selection": passed_over, "passages": left_out, "anchors": sentences}
    stage.metrics({**(figures := describe(found.grounded(), rejects)), **used, **metrics})
    stage.timings(timings)
    write_recall(stage, Sources(every, rows, items, links, splits), params, ENCODER)
    stage.finish(
        {"rows": len(rows), "passages": len(passages)},
        {"grounded rows": figures["rows"], "evidence": sum(figures["licences"].values())},
    )


class Outcomes:
    """The spooled outcomes of `rows`, read again for every table: none of them stays in memory."""

    def __init__(self, outcomes: Sequence[Grounding | Reject | CallFailed], rows: Sequence[InstructionRow]) -> None:
        self._outcomes, self._rows = outcomes, rows
        self._order = sorted(range(len(rows)), key=lambda place: rows[place].id)

    def grounded(self) -> Iterator[Grounding]:
        """Those that were grounded, by row id."""
        return (found for place in self._order if isinstance(found := self._at(place), Grounding))

    def rejects(self) -> list[Reject]:
        """The others, in the order of the rows."""
        return [found for place in range(len(self._rows)) if isinstance(found := self._at(place), Reject)]

    def _at(self, place: int) -> Grounding | Reject:
        """Raises LLMError for a row without an outcome: it must not vanish."""
        found = self._outcomes[place]
        if isinstance(found, CallFailed):
            raise LLMError(
                f"ground: the row {self._rows[place].id} has no outcome ({found}).",
                remedy="Every finished call is kept: run the same command again.",
            )
        return found


async def _ground(
    stage: Stage,
    rows: list[InstructionRow],
    formats: dict[str, Format],
    library: Library,
    leaks: Leaks,
    params: GroundParams,
    llm: LLMParams,
) -> tuple[Sequence[Grounding | Reject | CallFailed], UsedResponses, dict[str, Any], dict[str, Any]]:
    """Outcomes in the order of `rows`, the responses used, and the figures and times of the ledger and of the web search."""
    runtime = stage.section("runtime", RuntimeParams)
    spool = Spool(stage.scratch("rows.spool"), Codec(Grounding, Reject), len(rows))
    async with open_engine(stage.name, llm, runtime, Path("models/base")) as engine, open_web(params, runtime, leaks) as web:
        library = msgspec.structs.replace(library, web=web)

        def make_worker(client: Chat) -> Callable[[InstructionRow], Awaitable[Grounding | Reject]]:
            return lambda row: ground_row(row, formats[row.task], client, library, params)

        outcomes = await engine.map_rows(rows, make_worker, spool, label="grounding", tally=_tally)
        client, pages = engine.client, await _keep_pages(stage, web, outcomes)
        metrics, timings = {"llm": client.ledger.metrics(), **pages.metrics}, {**client.ledger.timings(), **pages.timings}
        return outcomes, client.used(), metrics, timings


async def _keep_pages(stage: Stage, web: WebSearch | None, outcomes: Iterable[Grounding | Reject | CallFailed]) -> Account:
    """Writes what rows used of the web; an empty table if it was not searched."""
    queries = (query for found in outcomes if isinstance(found, Grounding) for query in found.row.kept_queries)
    account = await web.account(queries) if web else Account(iter(()), {}, {})
    stage.write("data/ground/pages.parquet", account.kept, Snapshot)
    return account


def _tally(outcome: Grounding | Reject) -> str:
    return "grounded" if isinstance(outcome, Grounding) else "rejected"


def describe(grounded: Iterable[Grounding], rejects: Sequence[Reject]) -> dict[str, Any]:
    """Counts of rows, evidence, gaps, summaries and everything that went another way than planned."""
    rows, tasks, queries, evidence = 0, set[str](), Counter[str](), Counter[str]()
    counts, licences = Counter[str](), Counter[str]()
    for found in grounded:
        rows += 1
        tasks.add(found.row.task)
        counts.update(found.counts)
        queries.update(built=len(found.row.queries), kept=len(found.row.kept_queries))
        evidence.update("retrieved" if item.query else "documents" for item in found.evidence)
        licences.update(item.licence for item in found.evidence)
    return {
        "rows": rows,
        "tasks": len(tasks),
        "queries": {"built": queries["built"], "kept": queries["kept"]},
        "evidence": {"documents": evidence["documents"], "retrieved": evidence["retrieved"]},
        "gaps": {"rows": counts["gap"], "closed": counts["gap-closed"]},
        "summaries": counts["summary"],
        "licences": dict(licences),
        "events": {event: count for event, count in counts.items() if count and event not in ("gap", "gap-closed", "summary")},
        "reasons": dict(Counter(reject.reason for reject in rejects)),
    }
