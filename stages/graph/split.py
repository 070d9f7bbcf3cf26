"""Which part a subject document belongs to: train, dev or heldout.

The part is decided by a hash of the id, not by a draw over the list, so that a new source moves few. Entities with
texts that are equal or nearly so (two CVEs told in the same words, weaknesses that differ in a delimiter) share a
part, or a benchmark question would stand in the training data. Weaknesses of CWE view 1003 are never held out, nor
is what is like them: they are the labels of root-cause mapping. With `heldout_after`, vulnerabilities published from
that date on are held out too, with what is like them: what a model can do with CVEs that are newer than it.
"""

import re
from collections.abc import Iterable, Mapping

from stages.graph.params import SplitParams
from stages.graph.schema import Split
from stages.graph.similar import similar_pairs
from stages.ingest.schema import Entity
from stages.tables import content_id

_CVE_YEAR = re.compile(r"cve:CVE-(\d{4})-")
LEAD_WORDS = 60  # questions quote the beginning of a long text; a rule may quote the first paragraph of its technique


def assign_splits(entities: Mapping[str, Entity], params: SplitParams) -> list[Split]:
    """One row per entity, sorted by id."""
    leaders = _leaders(entities, params)
    kept_in = {leaders[id] for id, entity in entities.items() if entity.fields.get("in_view_1003")}
    late = {id for id, entity in entities.items() if _is_late(entity, params)}
    held_out = {leaders[id] for id in late} - kept_in
    return [
        Split(
            entity_id=id,
            split="heldout"
            if id in late or leaders[id] in held_out
            else _part(entities[leaders[id]], leaders[id] in kept_in, params),
        )
        for id in sorted(entities)
    ]


def _is_late(entity: Entity, params: SplitParams) -> bool:
    """Whether the temporal hold-out takes it. ISO dates sort as texts, with or without a time behind them.

    Where no source states the date, the last day of the id's year stands for it: rather held out than trained on.
    """
    if not params.heldout_after or entity.type != "vulnerability":
        return False
    year = _CVE_YEAR.match(entity.id)
    return (entity.published or (f"{year[1]}-12-31" if year else "")) >= params.heldout_after


def _part(leader: Entity, kept_in: bool, params: SplitParams) -> str:
    share, heldout = int(content_id(str(params.seed), leader.id), 16) / 16**16, params.share_of(leader.type)
    if share < heldout:
        return "train" if kept_in else "heldout"
    return "dev" if share < heldout + params.dev else "train"


def _leaders(entities: Mapping[str, Entity], params: SplitParams) -> dict[str, str]:
    """For each id the smallest id among all that are connected to it through similar texts."""
    parent = {id: id for id in entities}

    def find(id: str) -> str:
        while parent[id] != id:
            parent[id] = parent[parent[id]]
            id = parent[id]
        return id

    texts = [(id, text) for id in sorted(entities) for text in _texts(entities[id])]
    for one, other in similar_pairs([text for _, text in texts], params.shingle, params.similar):
        low, high = sorted((find(texts[one][0]), find(texts[other][0])))
        parent[high] = low
    return {id: find(id) for id in entities}


def _texts(entity: Entity) -> Iterable[str]:
    """Every text that a question may quote: the whole one, its beginning, a summary, and observed examples."""
    yield entity.text
    words = entity.text.split(maxsplit=LEAD_WORDS)
    if len(words) > LEAD_WORDS:
        yield " ".join(words[:LEAD_WORDS])
    yield entity.fields.get("description", "")
    yield from entity.fields.get("observed_examples", [])
