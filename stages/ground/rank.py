"""From hits per query to the evidence of a row: found by more queries first, then the engine's order, R per query."""

from collections.abc import Mapping, Sequence

from stages.ground.retrieve import LEXICAL, Hit
from stages.ground.schema import Evidence
from stages.ground.text import cut, tokens
from stages.ingest.schema import Passage
from stages.tasks.schema import InstructionRow


def rank_hits(
    hits: Mapping[str, Sequence[Hit]], keep: int, least_score: float = 0.0, least_cosine: float = 0.0
) -> list[tuple[str, Passage]]:
    """(query that found it best, passage), best first; at most `keep` passages per query, none that `near_best` leaves out."""
    hits = near_best(hits, least_score, least_cosine)
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


def near_best(hits: Mapping[str, Sequence[Hit]], least_score: float, least_cosine: float) -> dict[str, list[Hit]]:
    """Without passages that share only stray words with their query: far below the row's best by every engine that found them.

    Each engine is measured by its own best hit of the row, because a rank says nothing of how well a passage fits: BM25 by
    `least_score`, cosines, which lie closer together, by `least_cosine`. A hit without scores (of the web) stays.
    """
    best: dict[str, float] = {}
    for hit in (hit for of_query in hits.values() for hit in of_query):
        best |= {engine: max(score, best.get(engine, 0.0)) for engine, score in hit.scores.items()}
    least = {engine: (least_score if engine == LEXICAL else least_cosine) * score for engine, score in best.items()}
    return {query: [hit for hit in of_query if _is_near(hit, least)] for query, of_query in hits.items()}


def _is_near(hit: Hit, least: Mapping[str, float]) -> bool:
    return not hit.scores or any(score >= least[engine] for engine, score in hit.scores.items())


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
        left = limit - sum(tokens(evidence.text) for evidence in taken)
        if left < 20:
            break
        taken += as_evidence(row, [("", passage)], len(taken) + 1, left)
    return taken
