"""Hard negatives: unlinked entities that read like a linked one, as wrong options worth reading.

Similarity is the cosine of TF-IDF vectors of names and texts. Parents, ancestors and children of a right answer
are left out: whether they are wrong is a matter of opinion.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from stages.graph.params import NegativeParams
from stages.graph.patterns import Neighbours, parse_pattern
from stages.graph.schema import HardNegative
from stages.ingest.schema import Entity, Link
from stages.progress import progress

Similar = dict[str, list[tuple[float, str]]]  # entity -> (cosine, entity), nearest first
HIERARCHY = ("child-of", "subtechnique-of")
DIGITS = 4  # of a similarity: more would only show the rounding of the machine
_WORD = re.compile(r"\b\w\w+\b")
POOL = 40  # most similar candidates kept for each entity
BLOCK = 512  # entities compared with all others at once: the cosines of 10,000 entities are 40 MB, not 800


def find_negatives(entities: Mapping[str, Entity], links: Iterable[Link], params: NegativeParams) -> list[HardNegative]:
    """At most `top` per subject and relation, most similar first; sorted by subject, relation and rank."""
    neighbours = Neighbours(links, entities)
    found: list[HardNegative] = []
    known: dict[tuple[str, ...], Similar] = {}  # by type and documents: several patterns ask for the same
    relatives = cache(lambda id: _relatives(id, neighbours))
    for pattern in progress(sorted(params.patterns), label="hard negatives", unit="relations"):
        (subject_type, object_type), (step,) = parse_pattern(pattern)
        similar: Similar = {}
        for ids in _by_domain(object_type, entities):
            documents = (object_type, *(_document(entities[id], step, neighbours) for id in ids))
            if documents not in known:
                known[documents] = _most_similar(ids, documents[1:])
            similar |= known[documents]
        for subject in sorted(id for id, entity in entities.items() if entity.type == subject_type and not entity.deprecated):
            right = neighbours.of(subject, step, object_type)
            found += [
                HardNegative(subject=subject, relation=step, object=o, similarity=s)
                for o, s in _nearest(right, subject, similar, relatives, params)
            ]
    return found


def _nearest(
    right: list[str], subject: str, similar: Similar, relatives: Callable[[str], set[str]], params: NegativeParams
) -> list[tuple[str, float]]:
    excluded = {subject, *right} | {relative for id in right for relative in relatives(id)}
    scores: dict[str, float] = {}
    for id in right:
        for score, candidate in similar.get(id, ()):
            if candidate not in excluded:
                scores[candidate] = max(score, scores.get(candidate, 0.0))
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[: params.top]


def _relatives(id: str, neighbours: Neighbours) -> set[str]:
    """Children, and all ancestors."""
    type = neighbours.entities[id].type
    found = {child for relation in HIERARCHY for child in neighbours.of(id, f"^{relation}", type)}
    front = [id]
    while front:
        above = {parent for node in front for relation in HIERARCHY for parent in neighbours.of(node, relation, type)} - found
        found |= above
        front = sorted(above)
    return found


def _most_similar(ids: Sequence[str], documents: Sequence[str]) -> Similar:
    """For each entity its POOL nearest ones, nearest first."""
    if len(ids) < 2:
        return {}
    import numpy as np

    vectors = _vectors(documents)
    others = vectors.T.tocsr()
    nearest: Similar = {}
    for first in range(0, len(ids), BLOCK):
        cosines = np.round((vectors[first : first + BLOCK] @ others).toarray(), DIGITS)
        rows = np.arange(len(cosines))
        cosines[rows, first + rows] = -1.0  # itself
        order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(POOL, len(ids) - 1)]
        values = np.take_along_axis(cosines, order, axis=1).tolist()
        for row, columns in enumerate(order.tolist()):
            nearest[ids[first + row]] = [(value, ids[column]) for value, column in zip(values[row], columns, strict=True)]
    return nearest


def _vectors(documents: Sequence[str]) -> Any:
    """TF-IDF rows of unit length (sparse); words of more than half of the documents count as stop words.

    Sublinear term frequency and smoothed inverse document frequency, as scikit-learn defines them; that package is
    not used because it imports pandas, which takes longer than all of this.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    counts = [Counter(_WORD.findall(document.lower())) for document in documents]
    frequency = Counter(word for count in counts for word in count)
    words = {word: column for column, word in enumerate(sorted(w for w, n in frequency.items() if n <= max(10, len(counts) / 2)))}
    cells = [
        (row, words[word], 1 + math.log(n)) for row, count in enumerate(counts) for word, n in count.items() if word in words
    ]
    rows, columns, weights = (np.array(part) for part in zip(*cells, strict=True)) if cells else ([], [], [])
    idf = np.array([math.log((1 + len(counts)) / (1 + frequency[word])) + 1 for word in words])
    matrix = csr_matrix((weights, (rows, columns)), shape=(len(counts), max(1, len(words))))
    matrix = matrix.multiply(idf).tocsr() if words else matrix
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1)).A1
    return matrix.multiply(1 / np.where(lengths == 0, 1, lengths)[:, None]).tocsr()


def _by_domain(type: str, entities: Mapping[str, Entity]) -> list[list[str]]:
    """Current entities of `type`, sorted, those of each ATT&CK domain apart: one of another is no wrong option worth reading."""
    domains: dict[str, list[str]] = {}
    for id in sorted(entities):
        entity = entities[id]
        if entity.type == type and not entity.deprecated and not entity.fields.get("stub"):
            domains.setdefault(entity.fields.get("domain", "enterprise"), []).append(id)
    return [domains[domain] for domain in sorted(domains)]


def _document(entity: Entity, step: str, neighbours: Neighbours) -> str:
    """Name and text; of an entity without text (a tactic) the names of what is linked to it."""
    if entity.text:
        return f"{entity.name} {entity.text}"
    back = step.removeprefix("^") if step.startswith("^") else f"^{step}"
    return " ".join([entity.name, *(neighbours.entities[id].name for id in neighbours.of(entity.id, back))])
