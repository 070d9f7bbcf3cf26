"""Section `validate`: thresholds with their sources, and what may be in a training set."""

from typing import Literal

from stages.config import Params


class DuplicateParams(Params):
    """Near-duplicates by MinHash LSH, confirmed by the exact Jaccard similarity of word shingles; semantic ones by vectors."""

    threshold: float = 0.8  # Lee et al. 2022, arXiv 2107.06499: Jaccard 0.8 of 5-gram shingles
    shingle: int = 5  # words; texts with fewer are compared for equality only
    permutations: int = 126  # 21 bands of 6: a pair at 0.8 is missed with probability 0.002
    bands: int = 21
    seed: int = 20
    # Cosine of questions and of answers, each. The method is SemDeDup's (arXiv 2303.09540), the value measured: of the default
    # build's 14 pairs above it none was wrong, of 13 between 0.95 and it three were.
    semantic: float = 0.96


class DecontaminationParams(Params):
    """Overlap with benchmark items."""

    ngram: int = 13  # Brown et al. 2020, arXiv 2005.14165, appendix C
    short_ngram: int = 8  # Gao et al. 2020 (The Pile, arXiv 2101.00027) and PaLM use 8 where 13 is too long
    short_words: int = 13  # items with fewer words of their own are matched by `short_ngram`
    whole_words: int = 5  # items shorter than `short_ngram` are matched by all their words in a row; below this not at all
    boilerplate_documents: int = 5  # an n-gram in this many subject documents, or items, is common language
    near_shingle: int = 5  # words of a run, as for duplicates
    near_share: float = 0.5  # of an item's own words that a row holds in such runs: half, so that 60 % of any item is found
    near_words: int = 8  # and at least so many: two stock phrases of a short item are no copy
    # Paraphrases: of 134 by hand (tests/validate/paraphrases.jsonl) these values find four of five (110 without the answers),
    # and none of the 20,000 clean rows of tests/timings/decontaminate_recall. Real rows about the same things come nearer: a
    # build, which drops them unread, may ask for more (cosine 0.63 and margin 0.42 find 99 of the 134).
    embedding_cosine: float = 0.55  # of sentence vectors, at least
    embedding_answer: float = 0.65  # where question and answer together are nearer than the question: their cosine, at least
    embedding_question: float = 0.5  # least cosine with the question alone, where question and answer together are nearer
    embedding_margin: float = 0.26  # by which the cosine passes `embedding_neighbours` of the mean of the neighbours'
    embedding_shared: float = 0.12  # least share of specific content (names, numbers, rare words), by weight
    embedding_named: float = 0.4  # share from which a lesser margin is enough in rows that name no subject
    embedding_named_margin: float = 0.2
    embedding_words: int = 8  # passages with fewer are titles and options
    embedding_neighbours: float = 0.8  # 1 would ask for nearly equal words where a benchmark's items are all alike
    embedding_nearest: int = 5  # neighbours of an item: passages of other subjects, other items of its benchmark
    embedding_passages: int = 16_000  # that the sentence encoder reads, for all items together: a minute or two on two cores
    embedding_candidate_cosine: float = 0.5  # of table vectors, below which no passage is read
    benchmarks: dict[str, str] = {}  # name -> file of a public benchmark of yours: TSV, CSV, JSON, JSONL or Parquet


Action = Literal["neutralise", "reject", "stop"]  # change the place and keep the row, drop the row, or end the build


class OffensiveParams(Params):
    """Attacks ready for use, by the rules of `offensive.py` and by source. Licences of exploits are those of `licences`."""

    action: Literal["neutralise", "reject", "stop", "report"] = "reject"  # report: the row stays as it is
    allow_sources: tuple[str, ...] = ()  # findings in template texts of these sources alone are reported only; a model's are not
    deny_sources: tuple[str, ...] = ("exploit-db", "metasploit", "packetstorm")  # collections of exploits: every row is one


class SafetyParams(Params):
    """What happens to text that could steer a model, leak a credential, name a person or do harm when it is followed."""

    secrets: Action = "reject"
    injections: Action = "reject"  # orders to a model; descriptions of such attacks are knowledge and stay
    control_tokens: Action = "neutralise"  # security text quotes them legitimately: broken up
    personal_data: Action = "neutralise"  # e-mail addresses and telephone numbers give way to a placeholder
    indicators: Action = "neutralise"  # live addresses of payloads, public IPs, C2 domains and onion services are defanged
    offensive: OffensiveParams = OffensiveParams()


class LicenceParams(Params):
    """Classes of `stages/licences.json`. A row carries the strictest class of its parts; unlisted licences are `unknown`."""

    allow: tuple[str, ...] = ("public-domain", "permissive", "attribution", "terms")
    deny: tuple[str, ...] = ("share-alike", "non-commercial", "copyleft", "unknown")
    splits: tuple[str, ...] = ()  # denied classes whose rows are kept apart, each in a split of its own, instead of dropped


class ValidateParams(Params):
    """What a row must be to stay, and what a table must be for the build to go on."""

    duplicates: DuplicateParams = DuplicateParams()
    decontamination: DecontaminationParams = DecontaminationParams()
    safety: SafetyParams = SafetyParams()
    licences: LicenceParams = LicenceParams()
    letter_excess: float = 0.15  # a letter right in more than an equal share plus this teaches position, not content
    drift: float = 0.25  # population stability index of a column against baseline.json; above, Siddiqi 2006 calls the shift major
    offending_rows: int = 5  # shown per failed expectation
