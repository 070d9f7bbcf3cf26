"""Grounding of one row: build queries, filter, search, rank, look for gaps, summarise. Rows do not depend on each other."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from stages.formats.schema import Format
from stages.ground.choose import choose_queries
from stages.ground.gaps import gap_queries, missing_facts
from stages.ground.params import GroundParams
from stages.ground.queries import build_queries, content_words, parse_queries
from stages.ground.rank import as_evidence, documents_of, rank_hits
from stages.ground.retrieve import Hit
from stages.ground.retriever import Retriever
from stages.ground.schema import Evidence, GroundedRow
from stages.ground.search import WebSearch, search_query
from stages.ground.summary import summarise
from stages.ground.trail import Trail
from stages.ingest.schema import Passage
from stages.llm.asking import Chat
from stages.llm.client import CallFailed
from stages.tables import Reject
from stages.tasks.schema import InstructionRow


class Library(msgspec.Struct, frozen=True):
    """What rows are grounded in."""

    retriever: Retriever
    by_entity: Mapping[str, list[Passage]]
    common: Mapping[str, set[str]]  # per task, the words of its wording
    web: WebSearch | None = None


class Grounding(msgspec.Struct, frozen=True):
    """One row's outcome; `counts` names what happened on the way."""

    row: GroundedRow
    evidence: list[Evidence]
    counts: Counter[str]


class Findings(msgspec.Struct):
    """What the searches of a row brought so far: phrases built and kept, hits of each, and the evidence made of them."""

    built: list[str] = []
    kept: list[str] = []
    hits: dict[str, list[Hit]] = {}
    evidence: list[Evidence] = []


def group_by_entity(passages: list[Passage]) -> dict[str, list[Passage]]:
    """Passages of each entity in the order of their ids."""
    groups: dict[str, list[Passage]] = {}
    for passage in sorted(passages, key=lambda passage: passage.id):
        groups.setdefault(passage.entity_id, []).append(passage)
    return groups


async def ground_row(
    row: InstructionRow, form: Format, client: Chat, library: Library, params: GroundParams
) -> Grounding | Reject:
    """Evidence for `row`, or the reason why a call failed for good; nothing at all if `params.evidence` is off."""
    trail, found, summary = Trail(client), Findings(), ""
    if not params.evidence:
        return _grounding(row, found, [], summary, trail)
    documents = documents_of(row, library.by_entity, params.document_tokens) if form.document else []
    trail.counts["no-document"] += form.document and not documents
    try:
        if form.search:
            found = await first_round(row, form, documents, library, params, trail)
            await close_gaps(row, form, documents, found, library, params, trail)
        summary = await summarise(row, form, documents + found.evidence, params, trail)
    except CallFailed as failure:
        return Reject("ground", row.id, f"call-failed:{failure.reason}", failure.detail)
    trail.counts["no-evidence"] += not documents and not found.evidence
    return _grounding(row, found, documents, summary, trail)


async def first_round(
    row: InstructionRow,
    form: Format,
    documents: Sequence[Evidence],
    library: Library,
    params: GroundParams,
    trail: Trail,
) -> Findings:
    """Phrases by the model, filtered by the model, and what they find; phrases made by code are not filtered."""
    index, common = library.retriever.lexical, library.common.get(row.task, set())
    built, by_model = await build_queries(row, index, common, params, trail)
    kept = list(built)
    if by_model:
        choice = await choose_queries(row, form, built, params, trail)
        kept = [built[position] for position in choice.kept]
        named = parse_queries(choice.missing, params, content_words(row.instruction, index, common), asked=built)
        trail.counts["filter-named-fact"] += len(named)
        built, kept = built + named, kept + named
    found = Findings(built, kept, {}, [])
    await search_more(row, kept, documents, found, library, params, trail)
    return found


async def close_gaps(
    row: InstructionRow,
    form: Format,
    documents: Sequence[Evidence],
    found: Findings,
    library: Library,
    params: GroundParams,
    trail: Trail,
) -> None:
    """More rounds, at most `params.rounds` with the first, while the model names facts that are missing.

    `found` grows. A gap is closed if the last assessment says that there is enough.
    """
    if params.rounds < 2:
        return
    index, common = library.retriever.lexical, library.common.get(row.task, set())
    facts = await missing_facts(row, form, [*documents, *found.evidence], params, trail)
    trail.counts["gap"] += bool(facts)
    for number in range(2, params.rounds + 1):
        if not facts:
            break
        queries = await gap_queries(row, facts, found.built, index, common, params, trail)
        if not queries:
            trail.counts["gap-without-query"] += 1
            break
        found.built, found.kept = found.built + queries, found.kept + queries
        await search_more(row, queries, documents, found, library, params, trail)
        facts = await missing_facts(row, form, [*documents, *found.evidence], params, trail)
        trail.counts[f"round-{number}"] += 1
        trail.counts["gap-closed"] += facts == []


async def search_more(
    row: InstructionRow,
    queries: Sequence[str],
    documents: Sequence[Evidence],
    found: Findings,
    library: Library,
    params: GroundParams,
    trail: Trail,
) -> None:
    """Searches `queries` and ranks all hits of the row anew, those of earlier rounds too."""
    shown = {document.entity_id for document in documents}
    for query in queries:
        found.hits[query] = await search_query(row, query, shown, library.retriever, library.web, params, trail)
    ranked = rank_hits(found.hits, params.keep, params.least_score, params.least_cosine)
    found.evidence = as_evidence(row, ranked, len(documents) + 1, params.passage_tokens)


def _grounding(row: InstructionRow, found: Findings, documents: list[Evidence], summary: str, trail: Trail) -> Grounding:
    evidence = documents + found.evidence
    grounded = GroundedRow(
        row_id=row.id,
        task=row.task,
        queries=found.built,
        kept_queries=found.kept,
        document_ids=sorted({document.entity_id for document in documents}),
        evidence=len(evidence),
        request_hashes=trail.keys,
        summary=summary,
    )
    return Grounding(grounded, evidence, trail.counts)
