"""One query, asked of everything that may be searched: the passages of the build, and the web where it is switched on."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import msgspec

from stages.ground.fuse import fuse
from stages.ground.hygiene import denied_licences
from stages.ground.params import GroundParams
from stages.ground.rank import new_to_row
from stages.ground.retrieve import Hit
from stages.ground.retriever import Retriever
from stages.ground.trail import Trail
from stages.tasks.schema import InstructionRow


class WebSearch(Protocol):
    """Pages of the web as hits. A search that fails finds nothing and is counted by who made it."""

    async def search(self, query: str, hits: int) -> list[Hit]: ...


async def search_query(
    row: InstructionRow,
    query: str,
    shown: Collection[str],
    retriever: Retriever,
    web: WebSearch | None,
    params: GroundParams,
    trail: Trail,
) -> list[Hit]:
    """At most `params.hits` passages, best first, that the row does not show already (`shown`: its documents)."""
    local = _new(row, retriever.search(query, params.hits), shown)
    if web is None:
        return local
    pages = _permitted(_new(row, await web.search(query, params.hits), shown), params, trail)
    trail.counts["web-hits"] += len(pages)
    return fuse([local, pages], params.rrf, params.hits) if pages else local


def _new(row: InstructionRow, hits: Iterable[Hit], shown: Collection[str]) -> list[Hit]:
    """Ranks count up again: what was left out must not set this list back against another."""
    kept = [hit for hit in hits if new_to_row(hit.passage, row, shown)]
    return [msgspec.structs.replace(hit, rank=rank) for rank, hit in enumerate(kept)]


def _permitted(pages: Sequence[Hit], params: GroundParams, trail: Trail) -> list[Hit]:
    """Those of licences that evidence may have, without scores: a few pages' scores say nothing beside those of the build."""
    denied = denied_licences((hit.passage for hit in pages), params.deny)
    kept = [hit.passage for hit in pages if hit.passage.licence not in denied]
    trail.counts["web-licence-denied"] += len(pages) - len(kept)
    return [Hit(passage, rank, 0.0) for rank, passage in enumerate(kept)]
