"""From hits per query to the evidence of a row: found by more queries first, then the engine's order, R per query."""

from collections.abc import Mapping, Sequence

from stages.ground.retrieve import Hit
from stages.ground.schema import Evidence
from stages.ground.text import cut
from stages.ingest.schema import Passage
from stages.tasks.schema import InstructionRow


def rank_hits(hits: Mapping[str, Sequence[Hit]], keep: int, least_score: float = 0.0) -> list[tuple[str, Passage]]:
    """(query that found it best, passage), best first; at most `keep` passages per query.

    A passage whose score is below `least_score` times that of the row's best hit shares only a stray word with its
    query and is left out.
    """
    best_score = max((hit.score for of_query in hits.values() for hit in of_query), default=0.0)
    hits = {query: [hit for hit in of_query if hit.score >= least_score * best_score] for query, of_query in hits.items()}
    found: dict[str, list[tuple[int, str, Passage]]] = {}
    for query, of_query in hits.items():
        for hit in of_query:
            found.setdefault(hit.passage.id, []).append((hit.rank, query, hit.passage))
    order = sorted(found, key=lambda passage_id: (-len(found[passage_id]), min(found[passage_id])[0], passage_id))
    kept: set[str] = set()
    for query in hits:
        of_query = [passage_id for passage_id in order if any(other == query for _, other, _ in found[passage_id])]
        kept.update(of_query[:keep])
    best = {passage_id: min(found[passage_id], key=lambda entry: entry[:2]) for passage_id in kept}
    return [(best[passage_id][1], best[passage_id][2]) for passage_id in order if passage_id in kept]


def new_to_row(passage: Passage, row: InstructionRow, shown: set[str]) -> bool:
    """Whether a passage says something that the row does not show already: no document of it, no text it quotes."""
    return passage.entity_id not in shown and passage.text[:80] not in row.instruction


def as_evidence(row: InstructionRow, ranked: Sequence[tuple[str, Passage]], first_rank: int, limit: int) -> list[Evidence]:
    """Rows of the evidence table; texts are cut at a sentence within `limit` tokens."""
    return [
        Evidence(
            row_id=row.id,
            query=query,
            passage_id=passage.id,
            entity_id=passage.entity_id,
            uri=passage.uri,
            licence=passage.licence,
            rank=rank,
            text=cut(passage.text, limit),
        )
        for rank, (query, passage) in enumerate(ranked, first_rank)
    ]


def documents_of(row: InstructionRow, by_entity: Mapping[str, Sequence[Passage]], limit: int) -> list[Evidence]:
    """The official entries that the row names, in its order, within `limit` tokens together; ranks come first."""
    passages = [passage for entity_id in row.document_ids for passage in by_entity.get(entity_id, ())]
    taken: list[Evidence] = []
    for passage in passages:
        left = limit - sum(len(evidence.text) // 4 + 1 for evidence in taken)
        if left < 20:
            break
        taken += as_evidence(row, [("", passage)], len(taken) + 1, left)
    return taken
