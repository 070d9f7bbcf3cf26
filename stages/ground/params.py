"""Section `ground`: which rows are grounded, and how much evidence each may carry."""

from typing import Annotated, Literal

import msgspec

from stages.config import Params
from stages.ground.web.params import Web
from stages.licences import LicenceClass

EngineName = Literal["bm25", "static", "minilm"]


class GroundParams(Params):
    """K, hits and R are those of arXiv 2510.14113; the token limits fit the embedded model's minutes on two cores."""

    evidence: bool = True  # false: the same rows go on with no query, no document and no passage (for comparisons)
    rows: int = 22  # rows that will be rewritten; 0 means all that can be
    row_tokens: int = 110  # question and template answer of a selected row; longer ones are cut short by a small teacher
    queries: int = 2  # K: phrases per row
    words_min: int = 3  # of a phrase; the prompt asks for 5-12, shorter ones still retrieve
    words_max: int = 12
    words_shared: int = 2  # content words that a phrase must share with the question; one is often chance
    query_tokens: int = 48  # output of the query builder; 0 means the role's maximum, for a teacher that reasons first
    filter_tokens: int = 12  # output of the filter; 0 as above
    engines: tuple[EngineName, ...] = ("bm25",)  # whose scores are averaged; static and minilm need stage `encoder`
    # Weight of what sources say of a passage's entry elsewhere (stages/ground/anchors.py) beside the passage's own words; 0: none.
    # Each half of the questions of `stages.ground.recall` chooses 0.5 among 0.3, 0.5 and 0.8, which answer 0.82-0.83 of all in 4 hits.
    anchors: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 0.5
    rrf: int = 60  # constant of reciprocal rank fusion with hits of the web; Cormack et al. 2009 found little change around 60
    hits: int = 8  # raw hits per query
    keep: int = 2  # R: passages kept per query
    # A passage with less, and less by every engine that found it, shares only commoner words with its query. On 750 questions made
    # of task rows 1 hit in 80 below either limit was an answer, and 1 in 40 above it; the answers lost are 1 in 50.
    least_score: float = 0.5  # of the row's best BM25 score
    least_cosine: float = 0.8  # of the row's best cosine
    passage_tokens: int = 90  # of one kept passage, cut at a sentence
    document_tokens: int = 260  # of all grounding documents of a row together
    # Rounds of searching. 2: where the model says that a fact is missing, queries are built for it once: one call a row, three with
    # a gap. 1 for the embedded model: none of its assessments of 17 rows could be read, in 34 calls.
    rounds: int = 1
    gap_tokens: int = 48  # output of the assessment of gaps; 0 as above
    # Of a summary of the row's evidence that the teacher reads instead; 0: it reads the passages. The embedded model's summaries
    # speak of something else or repeat the prompt: code refuses all 29, for 15 rows.
    summary_tokens: int = 0
    deny: tuple[LicenceClass, ...] = ("share-alike", "non-commercial", "copyleft", "unknown")  # classes that no evidence may have
    web: Web = Web()  # search of the web beside the local passages; off unless a provider is named
    ngram: int = 13  # words shared with a benchmark question that make a passage unusable (the usual contamination measure)

    def __post_init__(self) -> None:
        if not self.engines or len(set(self.engines)) < len(self.engines):
            raise ValueError("engines: name one or more of bm25, static, minilm, each once; `evidence: false` searches nothing")
