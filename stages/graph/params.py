"""Section `graph`: how the graph is split, sampled and checked."""

from datetime import date

import msgspec

from stages.config import Params

HOST_PLATFORMS = {"windows": ["Windows"], "linux": ["Linux", "Containers"], "macos": ["macOS"]}


class SplitParams(Params):
    """Shares of the subject documents, by a hash of their ids: adding a source moves none of the others."""

    heldout: float = 0.12  # enough for 120 benchmark items of every larger type
    heldout_of: dict[str, float] = msgspec.field(default_factory=dict)  # by entity type, instead of `heldout`
    dev: float = 0.04
    shingle: int = 3  # words; with 5, one other word in a sentence of 12 would hide that the rest is equal
    similar: float = 0.5  # Jaccard similarity from which texts share a part: more of the wording is common than not
    seed: int = 17
    heldout_after: str = ""  # ISO date: vulnerabilities published on or after it are held out, whatever their hash; empty: none

    def __post_init__(self) -> None:
        if self.heldout_after and (len(self.heldout_after) != 10 or not date.fromisoformat(self.heldout_after)):
            raise ValueError("`heldout_after` is a date such as 2024-10-01, or empty")
        if self.shingle < 1 or not 0 < self.similar <= 1:
            raise ValueError("`shingle` is a number of words from 1, `similar` a share above 0 up to 1")
        shares = [self.heldout, *self.heldout_of.values()]
        if min(*shares, self.dev) < 0 or max(shares) + self.dev > 0.9:
            raise ValueError("`heldout`, `heldout_of` and `dev` are shares from 0 to 1 that leave something to train on")

    def share_of(self, type: str) -> float:
        """Share of the documents of an entity type that are held out."""
        return self.heldout_of.get(type, self.heldout)


class ConflictParams(Params):
    """Which facts rule out a link that a source states."""

    # ATT&CK platforms that a rule for an operating system can speak of. Cloud and device products are left out: the
    # catalogue lists their techniques under other platforms too often to tell an error from a matter of view.
    platforms: dict[str, list[str]] = msgspec.field(default_factory=lambda: dict(HOST_PLATFORMS))


class PathParams(Params):
    """Which typed paths are sampled. A step is `>relation` or, against its direction, `^relation`."""

    patterns: list[str] = []  # `technique >corresponds-to attack-pattern >exploits weakness`
    per_pair: int = 1000  # paths per pair of end types; SecKnowledge 1.0 used 5,000 on the larger BRON graph
    per_start: int = 8  # paths of a pattern from one node: keeps hubs from filling the cap
    seed: int = 17


class NegativeParams(Params):
    """For which relations unlinked but similar entities are looked for; same notation as in paths, one step."""

    patterns: list[str] = []
    top: int = 5  # per subject and relation: three wrong options and two to spare


class ExpectedParams(Params):
    """Counts that the pinned sources are known to give. A deviation is a warning: something upstream has changed."""

    entities: dict[str, int] = {}  # by type, current ones only
    links: dict[str, int] = {}  # by `subject-type relation object-type`
    tolerance: float = 0.02  # share that a count may differ by


class GraphParams(Params):
    """How the graph is resolved, split, sampled and checked."""

    conflicts: ConflictParams = ConflictParams()
    split: SplitParams = SplitParams()
    paths: PathParams = PathParams()
    negatives: NegativeParams = NegativeParams()
    expected: ExpectedParams = ExpectedParams()
