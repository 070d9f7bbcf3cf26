"""Find rows that say what a benchmark item says in other words: by sentence vectors, in two steps.

Table vectors, thousands of passages a second, name the passages of all rows that may be an item's paraphrase; the sentence
encoder then reads only these, and vectors are kept by text hash. Security texts all sound alike, so a cosine alone tells
little: a passage matches if it is much nearer to the item than the item's own neighbours are, which are the other items of
its benchmark and the next passages of other subjects (a margin, as Artetxe and Schwenk 2019, arXiv 1811.01136, have it).
As with words, up to `boilerplate_documents` - 1 subjects may be leaks; what more of them say is common knowledge.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from stages.validate.benchmark_index import BenchmarkIndex
from stages.validate.candidates import Candidate, TableEncoder, View, find_candidates
from stages.validate.decontaminate import Match
from stages.validate.overlap import Corpus, Document, corpus_of
from stages.validate.params import DecontaminationParams
from stages.validate.specific import Weights, stems

RULE = "embedding"
_SAME = 0.97  # items as near as this are one item twice, not neighbours
_NEIGHBOURS = 12  # candidates, by table vectors, among which neighbours are sought: with more of them the nearest come nearer
_SIBLINGS = 0.4  # items that share so much of their specific content are about one thing (reports on one product), not neighbours
_ITEMS = 512  # items compared with all others at a time

Vectors = npt.NDArray[np.float32]
Found = tuple[str, str, str]  # row, benchmark, item


class SentenceEncoder(Protocol):
    """As `stages.embed.encoders.MiniLMEncoder`."""

    def encode_kept(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, of an earlier run where there are any."""


class Encoders(NamedTuple):
    """Both encoders of `models/encoder`."""

    table: TableEncoder
    sentence: SentenceEncoder


class Similar(NamedTuple):
    """A passage and what the rule saw of it, whether it matches or not."""

    match: Match
    margin: float  # cosine less `embedding_neighbours` of the neighbours' mean cosine
    shared: float = 0.0  # of the specific content of the lighter of passage and item
    named: bool = False  # the row names no subject and shares so much that a lesser margin is enough


def find_paraphrases(
    documents: Sequence[Document],
    index: BenchmarkIndex,
    encoders: Encoders,
    params: DecontaminationParams,
    known: set[Found] = frozenset(),  # type: ignore[assignment]
) -> list[Similar]:
    """Passages near to an item, one for each row and item, sorted. Pairs in `known` were found by their words already."""
    views = views_of(index, params)
    corpus = corpus_of(documents)
    skip = {(document, item) for document, item in _numbers(documents, index, known)}
    candidates = find_candidates(corpus, views, encoders.table, params, skip)
    if not candidates:
        return []
    searched = sorted({one.item for one in candidates})
    of_item = _item_vectors(index, views, encoders.sentence, searched)
    passages = sorted({one.passage for one in candidates})
    vectors = dict(zip(passages, encoders.sentence.encode_kept(passages), strict=True))
    found: list[Similar] = []
    groups: dict[int, list[Candidate]] = {}
    for one in candidates:
        groups.setdefault(one.item, []).append(one)
    weights = Weights([*(view.text for view in views), *passages])
    told = {item: stems(" ".join([*index.own_words[item], index.items[item].answer])) for item in searched}
    others = _nearest_items(index, of_item, params.embedding_nearest, weights, told)
    cosines = {one: _cosine(of_item[one.item], vectors[one.passage], params) for one in candidates}
    nearest_item = _nearest_item(cosines)
    for item, own in groups.items():
        nearest = sorted(own, key=lambda one: (-one.cosine, one))[:_NEIGHBOURS]
        strangers = [
            one
            for one in nearest
            if not (
                corpus.anonymous[one.text]
                and nearest_item[one.text, one.passage] == item
                and _is_copy(cosines[one], others.get(item, []), params)
            )
        ]
        floor = background(strangers, [cosines[one] for one in strangers], corpus, others.get(item, []), params)
        for one in own:
            match = _match(documents, index, corpus, one, cosines[one])
            margin = cosines[one] - params.embedding_neighbours * floor
            shared = weights.shared(told[item], stems(one.passage))
            named = bool(corpus.anonymous[one.text]) and shared >= params.embedding_named
            found.append(Similar(match, round(margin, 4), round(shared, 4), named))
    return sorted(found, key=lambda one: (one.match.row, -one.match.overlap, one.match.benchmark, one.match.item))


def matching(similar: Sequence[Similar], params: DecontaminationParams) -> list[Match]:
    """What of `similar` is near enough; where names and numbers are shared, a lesser margin is."""
    return [
        one.match
        for one in similar
        if one.match.overlap >= params.embedding_cosine
        and one.shared >= params.embedding_shared
        and one.margin >= (params.embedding_named_margin if one.named else params.embedding_margin)
    ]


def views_of(index: BenchmarkIndex, params: DecontaminationParams) -> list[View]:
    """The question of each item by its own words, and question with answer, for rows that state the fact."""
    views = []
    for number, (item, own) in enumerate(zip(index.items, index.own_words, strict=True)):
        if len(own) >= params.whole_words:
            text = " ".join(own)
            views.append(View(number, text, len(own)))
            if item.answer and len(item.answer.split()) <= len(own):  # else the vector is that of the answer
                views.append(View(number, f"{text} {item.answer}", len(own) + len(item.answer.split())))
    return views


def background(
    own: Sequence[Candidate], cosines: Sequence[float], corpus: Corpus, others: Sequence[float], params: DecontaminationParams
) -> float:
    """Mean cosine of the item's nearest neighbours that are no leaks of it; 0 if it has none."""
    best: dict[int, float] = {}
    passages: set[str] = set()
    for cosine, one in sorted(zip(cosines, own, strict=True), key=lambda pair: (-pair[0], pair[1])):
        if one.passage not in passages:
            best.setdefault(int(corpus.subjects[one.text]), cosine)
        passages.add(one.passage)
    beyond = list(best.values())[params.boilerplate_documents - 1 :]
    nearest = sorted([*beyond, *others], reverse=True)[: params.embedding_nearest]
    return sum(nearest) / len(nearest) if nearest else 0.0


def _nearest_item(cosines: Mapping[Candidate, float]) -> dict[tuple[int, str], int]:
    """Per text and passage the item it is nearest to."""
    nearest: dict[tuple[int, str], int] = {}
    for one, _ in sorted(cosines.items(), key=lambda pair: (-pair[1], pair[0])):
        nearest.setdefault((one.text, one.passage), one.item)
    return nearest


def _is_copy(cosine: float, others: Sequence[float], params: DecontaminationParams) -> bool:
    """Whether the item's benchmark alone would make it a match: rows of one leak, which name no subject, are no neighbours."""
    floor = sum(others) / len(others) if others else 0.0
    return cosine >= params.embedding_cosine and cosine - params.embedding_neighbours * floor >= params.embedding_margin


def _cosine(views: Vectors, passage: Vectors, params: DecontaminationParams) -> float:
    """Of the nearest view; a passage that has the answer alone in common, as a row with the same option has, is judged by the question."""
    cosines = views @ passage
    told = cosines[0] >= params.embedding_question and cosines.max() >= params.embedding_answer
    return float(cosines.max() if told else cosines[0])


def _item_vectors(
    index: BenchmarkIndex, views: Sequence[View], encoder: SentenceEncoder, searched: Sequence[int]
) -> Mapping[int, Vectors]:
    """Vectors of the views of each item, the question first."""
    wanted = set(searched)
    chosen = [view for view in views if view.item in wanted]
    vectors = encoder.encode_kept([view.text for view in chosen])
    grouped: dict[int, list[Vectors]] = {}
    for view, vector in zip(chosen, vectors, strict=True):
        grouped.setdefault(view.item, []).append(vector)
    return {item: np.array(own) for item, own in grouped.items()}


def _nearest_items(
    index: BenchmarkIndex, vectors: Mapping[int, Vectors], count: int, weights: Weights, told: Mapping[int, frozenset[str]]
) -> dict[int, list[float]]:
    """Per item the cosines of its nearest `count` items about other things of the same benchmark."""
    nearest: dict[int, list[float]] = {}
    for name in sorted({index.items[item].benchmark for item in vectors}):
        mine = [item for item in vectors if index.items[item].benchmark == name]
        questions = np.array([vectors[item][0] for item in mine])
        subjects = np.unique([index.items[item].subject for item in mine], return_inverse=True)[1]
        for start in range(0, len(mine), _ITEMS):
            cosines = questions[start : start + _ITEMS] @ questions.T
            cosines[(subjects[start : start + _ITEMS, None] == subjects[None]) | (cosines >= _SAME)] = -1
            for item, row in zip(mine[start : start + _ITEMS], cosines, strict=True):
                near = [place for place in np.argsort(-row, kind="stable")[: 4 * count].tolist() if row[place] > -1]
                same = {place for place in near if weights.shared(told[item], told[mine[place]]) >= _SIBLINGS}
                kept = [*(place for place in near if place not in same), *(place for place in near[::-1] if place in same)]
                nearest[item] = [float(row[place]) for place in kept[:count]]
    return nearest


def _numbers(documents: Sequence[Document], index: BenchmarkIndex, known: set[Found]) -> list[tuple[int, int]]:
    rows = {document.id: number for number, document in enumerate(documents)}
    items = {(item.benchmark, item.id): number for number, item in enumerate(index.items)}
    return [(rows[row], items[benchmark, item]) for row, benchmark, item in known if (benchmark, item) in items]


def _match(documents: Sequence[Document], index: BenchmarkIndex, corpus: Corpus, one: Candidate, cosine: float) -> Match:
    item = index.items[one.item]
    row, level = documents[corpus.owners[one.text]].id, corpus.levels[one.text]
    return Match(
        row=row, item=item.id, benchmark=item.benchmark, rule=RULE, level=level, overlap=round(cosine, 4), evidence=one.passage
    )
