"""Grounding of one row: documents, queries, filter, retrieval, ranking. Rows do not depend on each other."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from stages.formats.schema import Format
from stages.ground.params import GroundParams
from stages.ground.queries import content_words, filter_request, key_terms, parse_filter, parse_queries, query_request
from stages.ground.rank import as_evidence, documents_of, new_to_row, rank_hits
from stages.ground.retrieve import Hit
from stages.ground.retriever import Retriever
from stages.ground.schema import Evidence, GroundedRow
from stages.ingest.schema import Passage
from stages.llm.client import CallFailed, Client
from stages.tables import Reject
from stages.tasks.schema import InstructionRow


class Library(msgspec.Struct, frozen=True):
    """What rows are grounded in."""

    retriever: Retriever
    by_entity: Mapping[str, list[Passage]]
    common: Mapping[str, set[str]]  # per task, the words of its wording


class Grounding(msgspec.Struct, frozen=True):
    """One row's outcome; `counts` names what happened on the way."""

    row: GroundedRow
    evidence: list[Evidence]
    counts: Counter[str]


class Queries(msgspec.Struct, frozen=True):
    """Phrases built and kept, and the calls that made them."""

    built: list[str]
    kept: list[str]
    hashes: list[str]


def group_by_entity(passages: list[Passage]) -> dict[str, list[Passage]]:
    """Passages of each entity in the order of their ids."""
    groups: dict[str, list[Passage]] = {}
    for passage in sorted(passages, key=lambda passage: passage.id):
        groups.setdefault(passage.entity_id, []).append(passage)
    return groups


async def ground_row(
    row: InstructionRow, form: Format, client: Client, library: Library, params: GroundParams
) -> Grounding | Reject:
    """Evidence for `row`, or the reason why a call failed for good; nothing at all if `params.evidence` is off."""
    counts: Counter[str] = Counter()
    if not params.evidence:
        return Grounding(_grounded(row, Queries([], [], []), [], []), [], counts)
    documents = documents_of(row, library.by_entity, params.document_tokens) if form.document else []
    counts["no-document"] += form.document and not documents
    try:
        queries = await build_queries(row, form, client, library, params, counts) if form.search else Queries([], [], [])
    except CallFailed as failure:
        return Reject("ground", row.id, f"call-failed:{failure.reason}", failure.detail)
    shown = {evidence.entity_id for evidence in documents}
    hits = {query: _new_hits(row, query, library.retriever, params, shown) for query in queries.kept}
    found = as_evidence(row, rank_hits(hits, params.keep, params.least_score), len(documents) + 1, params.passage_tokens)
    counts["no-evidence"] += not documents and not found
    evidence = documents + found
    return Grounding(_grounded(row, queries, documents, evidence), evidence, counts)


async def build_queries(
    row: InstructionRow, form: Format, client: Client, library: Library, params: GroundParams, counts: Counter[str]
) -> Queries:
    """Phrases by the model, filtered by the model; by code, and then unfiltered, if the builder's reply is unusable."""
    reply = await client.chat(query_request(row, params))
    common = library.common.get(row.task, set())
    built = parse_queries(reply.text, params, content_words(row, library.retriever.lexical, common))
    if not built:
        client.ledger.parse_failed("ground.queries")
        counts["query-fallback"] += 1
        made = key_terms(row, library.retriever.lexical, common, params)
        return Queries(made, made, [reply.key])
    chosen = await client.chat(filter_request(row, form, built, params))
    positions = parse_filter(chosen.text, len(built))
    if positions is None:
        client.ledger.parse_failed("ground.filter")
        counts["filter-unparsed"] += 1
        positions = list(range(len(built)))
    counts["filter-kept-none"] += not positions
    return Queries(built, [built[position] for position in positions], [reply.key, chosen.key])


def _new_hits(row: InstructionRow, query: str, retriever: Retriever, params: GroundParams, shown: set[str]) -> list[Hit]:
    return [hit for hit in retriever.search(query, params.hits) if new_to_row(hit.passage, row, shown)]


def _grounded(row: InstructionRow, queries: Queries, documents: list[Evidence], evidence: list[Evidence]) -> GroundedRow:
    return GroundedRow(
        row_id=row.id,
        task=row.task,
        queries=queries.built,
        kept_queries=queries.kept,
        document_ids=sorted({document.entity_id for document in documents}),
        evidence=len(evidence),
        request_hashes=queries.hashes,
    )
