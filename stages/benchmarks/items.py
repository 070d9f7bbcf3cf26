"""All own benchmarks out of the held-out documents, and the figures that describe them."""

from collections import Counter
from collections.abc import Sequence

from stages.benchmarks import adversarial, root_cause
from stages.benchmarks.adversarial import Scorer, hardest
from stages.benchmarks.choice import LETTERS, choice_items
from stages.benchmarks.impact import impact_items
from stages.benchmarks.params import SIZES, BenchmarksParams
from stages.benchmarks.questions import Question
from stages.benchmarks.relations import relation_items
from stages.benchmarks.root_cause import root_cause_items
from stages.benchmarks.schema import BenchmarkItem
from stages.kinds import Kind
from stages.knowledge import Knowledge
from stages.options import prior_learned
from stages.tables import Reject

Made = tuple[list[BenchmarkItem], list[Reject]]


def build_items(knowledge: Knowledge, kinds: Sequence[Kind], params: BenchmarksParams, score: Scorer) -> Made:
    """Items of every benchmark in their order, and what was rejected. `score` is the small model of the adversarial one."""
    made = [
        choice_items(knowledge, kinds, "secforge-mcq", params),
        choice_items(knowledge, kinds, "secforge-detect-mitigate", params),
        _adversarial(knowledge, kinds, params, score),
        impact_items(knowledge, params),
        relation_items(knowledge, kinds, params),
        root_cause_items(knowledge, params),
    ]
    return [item for items, _ in made for item in items], [reject for _, rejects in made for reject in rejects]


def _adversarial(knowledge: Knowledge, kinds: Sequence[Kind], params: BenchmarksParams, score: Scorer) -> Made:
    stems = {kind.name: kind.question for kind in kinds}

    def finish(questions: list[Question]) -> list[Question]:
        return hardest(questions, stems, score, params.adversarial)

    return choice_items(knowledge, kinds, adversarial.BENCHMARK, params, finish)


def summarise(items: Sequence[BenchmarkItem], rejects: Sequence[Reject], knowledge: Knowledge, head: int) -> dict[str, object]:
    """Counts for `metrics/benchmarks.json`."""
    figures: dict[str, object] = {"rejects": _counts([reject.reason for reject in rejects])}
    for name in SIZES:
        own = [item for item in items if item.benchmark == name]
        figures[name] = {
            "items": len(own),
            "by_kind": _counts([item.task for item in own]),
            "head_by_kind": _counts([item.task for item in own[:head]]),
        } | (root_cause.describe(own, knowledge) if own and own[0].key_kind == "cwe" else _letters(own, head))
    return figures


def _letters(items: Sequence[BenchmarkItem], head: int) -> dict[str, object]:
    return {
        "letters": _counts([item.key[0] for item in items]),
        "head_letters": _counts([item.key[0] for item in items[:head]]),
        "option_prior": _option_prior(items),
    }


def _option_prior(items: Sequence[BenchmarkItem]) -> dict[str, float]:
    """By kind, the accuracy of a guesser who learns from other items how often each option is right; one in four is chance."""
    shown = {
        kind: [(one.options, one.options[LETTERS.index(one.key[0])]) for one in items if one.task == kind]
        for kind in sorted({one.task for one in items})
    }
    return {kind: round(prior_learned(questions), 4) for kind, questions in shown.items()}


def _counts(values: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
