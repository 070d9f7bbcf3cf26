"""Section `synthesize`: how many new question-and-answer pairs a model writes over prose documents."""

import msgspec

from stages.config import Params

PROSE = (
    "advisory", "attack-pattern", "case-study", "control", "guide", "report", "risk-category", "security-test", "technique", "weakness",
)  # fmt: skip


class SynthesizeParams(Params):
    """The second step of SecKnowledge 1.0 (arXiv 2408.09304, section on content-grounded synthesis)."""

    documents: int = 0  # 0: none; drawn over the types by content hash
    iterations: int = 4  # pairs that are tried on each document, each built on those kept before it
    self_instruct: float = 0.1  # probability of Self-Instruct in the first two iterations; it doubles every two
    # Entity types whose texts are prose: graph paths and rules are not evolved.
    types: list[str] = msgspec.field(default_factory=lambda: list(PROSE))
    document_words: int = 350  # of a document, from its beginning
    least_words: int = 40  # a shorter document has nothing to ask twice
    examples: int = 3  # pairs shown as examples to Self-Instruct, the newest first
    max_tokens: int = 0  # of a new pair; 0 means the teacher's maximum
    verdict_tokens: int = 0  # of the evaluator's reply; 0 means the judge's maximum
    similar: float = 0.7  # Jaccard similarity of words from which a question is no new one
    calibration_pairs: int = 0  # hand-written pairs that the evaluator must tell apart first; 0 means all
    calibration_accuracy: float = 0.75

    def __post_init__(self) -> None:
        if not 0 <= self.self_instruct <= 1 or self.iterations < 1:
            raise ValueError("`self_instruct` is a probability from 0 to 1, `iterations` a number from 1")
