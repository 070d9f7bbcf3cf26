"""Open questions for a weakness id: CVEs of the held-out part, CVEs after a cut-off date, and tickets."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from stages.benchmarks.choice import make_item
from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.questions import LEAST_WORDS, load_prompt, spellings, tells_nothing
from stages.benchmarks.schema import BenchmarkItem
from stages.errors import ParamsError
from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, fill, mask, without_identifiers
from stages.tables import Reject, content_id

TICKETS = ("ticket", "advisory")
# The task whose training rows ask the same: a protocol may offer its answers as choices.
TASKS = {"vulnerability": "cve-to-cwe", "ticket": "ticket-weakness", "advisory": "advisory-weakness"}


def root_cause_items(knowledge: Knowledge, params: BenchmarksParams) -> tuple[list[BenchmarkItem], list[Reject]]:
    """Items of secforge-rcm, secforge-rcm-temporal and secforge-ticket-cwe, and what was rejected."""
    recent, others = _by_date(knowledge, params.temporal_after)
    tickets = [one for one in knowledge.of_type(*TICKETS) if knowledge.split(one.id) == "heldout"]
    found: list[BenchmarkItem] = []
    rejects: list[Reject] = []
    for benchmark, subjects, relation, prompt in (
        ("secforge-rcm", others, "instance-of", "rcm"),
        ("secforge-rcm-temporal", recent, "instance-of", "rcm"),
        ("secforge-ticket-cwe", tickets, "shows", "ticket"),
    ):
        items, dropped = _open_items(knowledge, subjects, benchmark, (relation, prompt), params)
        found += items
        rejects += dropped
    return found, rejects


def _by_date(knowledge: Knowledge, after: str) -> tuple[list[Entity], list[Entity]]:
    """Held-out vulnerabilities published on or after the cut-off, and the others."""
    every = [one for one in knowledge.of_type("vulnerability") if one.published or not after]
    recent = [one for one in every if after and one.published >= after]
    leaked = next((one.id for one in recent if knowledge.split(one.id) != "heldout"), "")
    if leaked:
        raise ParamsError(
            f"{leaked} was published after `benchmarks.temporal_after` ({after}) and is not held out.",
            allowed="the same date in `graph.split.heldout_after`",
            remedy="Set both dates in params.yaml to the same day.",
        )
    recent_ids = {one.id for one in recent}
    heldout = [one for one in knowledge.of_type("vulnerability") if knowledge.split(one.id) == "heldout"]
    return recent, [one for one in heldout if one.id not in recent_ids]


def _open_items(
    knowledge: Knowledge, subjects: Sequence[Entity], benchmark: str, form: tuple[str, str], params: BenchmarksParams
) -> tuple[list[BenchmarkItem], list[Reject]]:
    items: list[BenchmarkItem] = []
    rejects: list[Reject] = []
    for one in _asked(knowledge, subjects, benchmark, form, params):
        (items if isinstance(one, BenchmarkItem) else rejects).append(one)  # type: ignore[arg-type]
    items.sort(key=lambda item: content_id(str(params.seed), item.subject))
    kept, repeated = _one_per_question(items)
    return kept[: params.size(benchmark)], [*rejects, *repeated]


def _asked(
    knowledge: Knowledge, subjects: Sequence[Entity], benchmark: str, form: tuple[str, str], params: BenchmarksParams
) -> Iterator[BenchmarkItem | Reject]:
    relation, prompt = form
    for subject in subjects:
        weaknesses = knowledge.objects(subject.id, relation, "weakness")
        if not weaknesses:
            continue
        if len(weaknesses) > params.max_keys:
            yield Reject(benchmark, subject.id, "ambiguous-key")
            continue
        text, reason = _text(knowledge, subject, weaknesses, params.max_text_words)
        if reason:
            yield Reject(benchmark, subject.id, reason)
            continue
        keys = sorted((one.id.removeprefix("cwe:") for one in weaknesses), key=lambda key: int(key.rpartition("-")[2]))
        used = [one.id for one in weaknesses]
        asked = fill(load_prompt(prompt), {"text": text})
        yield make_item(subject, benchmark, TASKS[subject.type], asked, [], keys, "cwe", used)


def _one_per_question(items: Sequence[BenchmarkItem]) -> tuple[list[BenchmarkItem], list[Reject]]:
    """The first item of every question; one asked of several subjects with other keys has no sure answer."""
    keys: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for item in items:
        keys[item.question].add(tuple(item.key))
    kept: dict[str, BenchmarkItem] = {}
    rejects: list[Reject] = []
    for item in items:
        if len(keys[item.question]) > 1:
            rejects.append(Reject(item.benchmark, item.subject, "ambiguous-key"))
        elif item.question in kept:
            rejects.append(Reject(item.benchmark, item.subject, "same-question", kept[item.question].subject))
        else:
            kept[item.question] = item
    return list(kept.values()), rejects


def _text(knowledge: Knowledge, subject: Entity, weaknesses: Sequence[Entity], max_words: int) -> tuple[str, str]:
    """The text without ids, or why there is none: a text that names its weakness asks nothing."""
    examples = [link.text for link in knowledge.links_from(subject.id, "instance-of")]
    reason = "no-text"
    for text in (knowledge.text(subject.id), *examples):
        shown = clip(without_identifiers(text), max_words)
        if len(shown.split()) < LEAST_WORDS or tells_nothing(shown):
            continue
        names = [form for weakness in weaknesses for form in knowledge.forms_of(weakness.id)]
        if mask(shown, spellings(names)) == shown:
            return shown, ""
        reason = "names-the-weakness"
    return "", reason


def describe(items: Sequence[BenchmarkItem], knowledge: Knowledge) -> dict[str, object]:
    """Key sets of one benchmark; `label_in_train`: does any training document carry one of the item's keys?"""
    seen = _trained_weaknesses(knowledge)
    return {
        "key_set_sizes": _counts([str(len(item.key)) for item in items]),
        "labels": len({key for item in items for key in item.key}),
        "label_in_train": _counts(["yes" if seen & set(item.key) else "no" for item in items]),
        "most_frequent_key": _most_frequent(items),
    }


def _trained_weaknesses(knowledge: Knowledge) -> set[str]:
    """CWE ids that a training vulnerability or ticket carries."""
    return {
        link.object.removeprefix("cwe:")
        for one in knowledge.of_type("vulnerability", *TICKETS)
        if knowledge.split(one.id) == "train"
        for relation in ("instance-of", "shows")
        for link in knowledge.links_from(one.id, relation)
    }


def _most_frequent(items: Sequence[BenchmarkItem]) -> dict[str, object]:
    """The key that answers most items, and the share it answers: what a constant guess scores at best."""
    counts = Counter(key for item in items for key in item.key)
    if not counts:
        return {}
    key, count = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return {"key": key, "share": round(count / len(items), 4)}


def _counts(values: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
