"""Items of the project's own benchmarks, built from held-out subject documents only."""

import msgspec


class BenchmarkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One question with its key. A generative answer is right if the extractor finds a value of `key`."""

    id: str
    benchmark: str  # secforge-mcq, secforge-rcm
    task: str
    question: str  # everything the model sees, without chat template
    options: list[str]  # the option texts in the order shown, empty for open questions
    key: list[str]  # letters, or ids
    key_kind: str  # letter, cwe
    subject: str
    entity_ids: list[str]
    source: str
    licence: str
