"""Section `graph`: how the graph is split, sampled and checked."""

from stages.config import Params


class SplitParams(Params):
    """Shares of the subject documents, by a hash of their ids: adding a source moves none of the others."""

    heldout: float = 0.12  # enough for 120 benchmark items of every larger type
    dev: float = 0.04
    seed: int = 17

    def __post_init__(self) -> None:
        if self.heldout < 0 or self.dev < 0 or self.heldout + self.dev > 0.9:
            raise ValueError("`heldout` and `dev` are shares from 0 to 1 that leave something to train on")


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

    split: SplitParams = SplitParams()
    paths: PathParams = PathParams()
    negatives: NegativeParams = NegativeParams()
    expected: ExpectedParams = ExpectedParams()
