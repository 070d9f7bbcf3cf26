"""Section `report`: how much the page shows."""

from stages.config import Params


class ReportParams(Params):
    """The page is for people: a handful of examples that can be read, not a dump of the table."""

    title: str = "SecForge build report"
    examples: int = 8  # rewrites shown beside their template answers; every reason is shown once before any twice
    excerpt: int = 900  # characters of an answer; longer ones are cut with the number of characters left out
