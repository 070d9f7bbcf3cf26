"""Weakness impact mapping: a held-out weakness is described, and one of four technical impacts is listed for it."""

from collections import defaultdict
from collections.abc import Iterator

from stages.benchmarks.choice import as_items
from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.questions import LEAST_WORDS, Question, load_prompt, shown_text
from stages.benchmarks.schema import BenchmarkItem
from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.tables import Reject, content_id

BENCHMARK = "secforge-weakness-impact"
KIND = "weakness-impact"
VAGUE = ("Other", "Varies by Context")  # they tell nothing of what an attacker gains
KINDRED = (  # where one is right, another of its row may be too
    {"DoS: Amplification", *(f"DoS: Resource Consumption ({of})" for of in ("CPU", "Memory", "Other"))},
    {
        "Quality Degradation",
        "Reduce Maintainability",
        "Reduce Performance",
        "Reduce Reliability",
        "Increase Analytical Complexity",
    },
)
PER_WEAKNESS = 3


def impact_items(knowledge: Knowledge, params: BenchmarksParams) -> tuple[list[BenchmarkItem], list[Reject]]:
    """Items of the benchmark, and what was rejected."""
    questions: list[Question] = []
    rejects: list[Reject] = []
    for one in _questions(knowledge, params.max_text_words):
        (questions if isinstance(one, Question) else rejects).append(one)  # type: ignore[arg-type]
    by_kind: dict[str, list[Question]] = defaultdict(list, {KIND: questions})
    return as_items(knowledge, by_kind, {KIND: load_prompt("impact")}, BENCHMARK, params), rejects


def impacts_of(weakness: Entity) -> list[str]:
    """Technical impacts that the catalogue lists for a weakness, vague ones left out."""
    listed = {impact for one in weakness.fields.get("consequences") or [] for impact in one.get("impacts") or []}
    return sorted(listed - set(VAGUE))


def _questions(knowledge: Knowledge, max_words: int) -> Iterator[Question | Reject]:
    """Up to three questions for each held-out weakness, each with another impact as the right one."""
    for weakness in knowledge.of_type("weakness"):
        impacts = impacts_of(weakness)
        if knowledge.split(weakness.id) != "heldout" or not impacts:
            continue
        text = shown_text(knowledge, weakness, [weakness], max_words)
        if len(text.split()) < LEAST_WORDS:
            yield Reject(KIND, weakness.id, "no-text")
            continue
        barred = frozenset(impact.casefold() for impact in (*impacts, *_kindred(impacts)))
        for impact in sorted(impacts, key=lambda one: content_id(weakness.id, one))[:PER_WEAKNESS]:
            ask = Ask(key=f"{weakness.id} {impact}", right=impact, barred=barred)
            yield Question(kind=KIND, subject=weakness.id, text=text, options=[impact], ask=ask, ids={}, entities=[])


def _kindred(impacts: list[str]) -> set[str]:
    return set().union(*(row for row in KINDRED if row & set(impacts)))
