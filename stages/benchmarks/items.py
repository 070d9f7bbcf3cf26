"""Questions into items: letters exactly balanced, an order whose every prefix is a fair sample."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import structs

from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.questions import LEAST_WORDS, Question, complete, load_prompt, questions_of
from stages.benchmarks.schema import BenchmarkItem
from stages.ingest.schema import Entity
from stages.kinds import Kind
from stages.knowledge import Knowledge
from stages.options import balanced, prior_learned
from stages.prose import clip, fill, mask, without_identifiers
from stages.tables import Reject, content_id

LETTERS = "ABCD"


def build_items(
    knowledge: Knowledge, kinds: Sequence[Kind], params: BenchmarksParams
) -> tuple[list[BenchmarkItem], list[Reject]]:
    """Items of both benchmarks in their order, and what was rejected."""
    mcq, mcq_rejects = _mcq(knowledge, kinds, params)
    rcm, rcm_rejects = _rcm(knowledge, params)
    return [*mcq, *rcm], [*mcq_rejects, *rcm_rejects]


def summarise(items: Sequence[BenchmarkItem], rejects: Sequence[Reject], knowledge: Knowledge, head: int) -> dict[str, object]:
    """Counts for `metrics/benchmarks.json`; `label_in_train`: does any training document carry one of the item's keys?"""
    figures: dict[str, object] = {"rejects": _counts([reject.reason for reject in rejects])}
    for name in ("secforge-mcq", "secforge-rcm"):
        own = [item for item in items if item.benchmark == name]
        figures[name] = {
            "items": len(own),
            "by_kind": _counts([item.task for item in own]),
            "head_by_kind": _counts([item.task for item in own[:head]]),
        }
        if name == "secforge-mcq":
            figures[name] |= {
                "letters": _counts([item.key[0] for item in own]),
                "head_letters": _counts([item.key[0] for item in own[:head]]),
                "option_prior": _option_prior(own),
            }
        else:
            seen = _trained_weaknesses(knowledge)
            figures[name] |= {
                "key_set_sizes": _counts([str(len(item.key)) for item in own]),
                "labels": len({key for item in own for key in item.key}),
                "label_in_train": _counts(["yes" if seen & set(item.key) else "no" for item in own]),
                "most_frequent_key": _most_frequent(own),
            }
    return figures


def _mcq(knowledge: Knowledge, kinds: Sequence[Kind], params: BenchmarksParams) -> tuple[list[BenchmarkItem], list[Reject]]:
    by_kind: dict[str, list[Question]] = defaultdict(list)
    rejects: list[Reject] = []
    for kind in kinds:
        for one in questions_of(knowledge, kind, params.max_text_words):
            if isinstance(one, Reject):
                rejects.append(one)
            else:
                by_kind[kind.name].append(one)
        by_kind[kind.name], same = _one_per_text(by_kind[kind.name])
        rejects += same
    asked = _asked(by_kind, params)
    prompt, stems = load_prompt("mcq"), {kind.name: kind.question for kind in kinds}
    letters = _letters(len(asked), params.seed)
    return [
        _mcq_item(knowledge, question, letter, prompt, stems[question.kind])
        for question, letter in zip(asked, letters, strict=True)
    ], rejects


def _one_per_text(questions: Sequence[Question]) -> tuple[list[Question], list[Reject]]:
    """The first question of each text, with what is right for the others barred: the same words are one question."""
    kept: dict[str, Question] = {}
    rejects: list[Reject] = []
    for question in questions:
        first = kept.setdefault(question.text, question)
        if first is not question:
            rejects.append(Reject(question.kind, question.subject, "same-question", first.subject))
            ask = structs.replace(first.ask, barred=first.ask.barred | question.ask.barred)
            kept[question.text] = structs.replace(first, ask=ask)
    return list(kept.values()), rejects


def _asked(by_kind: dict[str, list[Question]], params: BenchmarksParams) -> list[Question]:
    """The questions within the limit, with their options; a number that the letters divide."""
    fair = {kind: [questions[place] for place in balanced([one.ask for one in questions])] for kind, questions in by_kind.items()}
    kinds: dict[str, list[Question]] = defaultdict(list)
    for question in _round_robin(fair, params.seed)[: params.max_mcq_items]:
        kinds[question.kind].append(question)
    asked = _round_robin({kind: complete(questions) for kind, questions in kinds.items()}, params.seed)
    return asked[: len(asked) // len(LETTERS) * len(LETTERS)]


def _round_robin(by_kind: dict[str, list[Question]], seed: int) -> list[Question]:
    """Kinds in turn, each in hash order: every prefix holds the kinds as evenly as they last."""
    queues = {
        kind: sorted(questions, key=lambda one: content_id(str(seed), one.kind, one.subject))
        for kind, questions in sorted(by_kind.items())
    }
    longest = max(map(len, queues.values()), default=0)
    return [queue[place] for place in range(longest) for queue in queues.values() if place < len(queue)]


def _letters(count: int, seed: int) -> list[str]:
    """Blocks of four, each a permutation of the letters: any prefix is balanced to within one."""
    letters: list[str] = []
    for block in range(-(-count // len(LETTERS))):
        letters += sorted(LETTERS, key=lambda letter: content_id(str(seed), str(block), letter))
    return letters[:count]


def _mcq_item(knowledge: Knowledge, question: Question, letter: str, prompt: str, stem: str) -> BenchmarkItem:
    right, *wrong = question.options
    options = sorted(wrong, key=lambda option: content_id(question.subject, option))
    options.insert(LETTERS.index(letter), right)
    listed = "\n".join(f"{name}. {option}" for name, option in zip(LETTERS, options, strict=True))
    shown = fill(prompt, {"question": fill(stem, {"text": question.text}), "options": listed})
    subject = knowledge.entities[question.subject]
    return _item(subject, "secforge-mcq", question.kind, shown, options, [letter], "letter", question.entities)


def _rcm(knowledge: Knowledge, params: BenchmarksParams) -> tuple[list[BenchmarkItem], list[Reject]]:
    prompt = load_prompt("rcm")
    items: list[BenchmarkItem] = []
    rejects: list[Reject] = []
    for vulnerability in knowledge.of_type("vulnerability"):
        if knowledge.split(vulnerability.id) != "heldout":
            continue
        weaknesses = knowledge.objects(vulnerability.id, "instance-of", "weakness")
        if not weaknesses:
            continue
        if len(weaknesses) > params.max_keys:
            rejects.append(Reject("secforge-rcm", vulnerability.id, "ambiguous-key"))
            continue
        text, reason = _rcm_text(knowledge, vulnerability, weaknesses, params.max_text_words)
        if reason:
            rejects.append(Reject("secforge-rcm", vulnerability.id, reason))
            continue
        keys = sorted((one.id.removeprefix("cwe:") for one in weaknesses), key=lambda key: int(key.rpartition("-")[2]))
        used = [one.id for one in weaknesses]
        items.append(_item(vulnerability, "secforge-rcm", "cve-to-cwe", fill(prompt, {"text": text}), [], keys, "cwe", used))
    items.sort(key=lambda item: content_id(str(params.seed), item.subject))
    kept, repeated = _one_per_question(items)
    return kept[: params.max_rcm_items], [*rejects, *repeated]


def _one_per_question(items: Sequence[BenchmarkItem]) -> tuple[list[BenchmarkItem], list[Reject]]:
    """The first item of every question; one asked of several vulnerabilities with other keys has no sure answer."""
    keys: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for item in items:
        keys[item.question].add(tuple(item.key))
    kept: dict[str, BenchmarkItem] = {}
    rejects: list[Reject] = []
    for item in items:
        if len(keys[item.question]) > 1:
            rejects.append(Reject("secforge-rcm", item.subject, "ambiguous-key"))
        elif item.question in kept:
            rejects.append(Reject("secforge-rcm", item.subject, "same-question", kept[item.question].subject))
        else:
            kept[item.question] = item
    return list(kept.values()), rejects


def _rcm_text(knowledge: Knowledge, vulnerability: Entity, weaknesses: Sequence[Entity], max_words: int) -> tuple[str, str]:
    """The text without ids, or why there is none: a text that names its weakness asks nothing."""
    examples = [link.text for link in knowledge.links_from(vulnerability.id, "instance-of")]
    reason = "no-text"
    for text in (knowledge.text(vulnerability.id), *examples):
        shown = clip(without_identifiers(text), max_words)
        if len(shown.split()) < LEAST_WORDS:
            continue
        names = [form for weakness in weaknesses for form in knowledge.forms_of(weakness.id)]
        if mask(shown, names) == shown:
            return shown, ""
        reason = "names-the-weakness"
    return "", reason


def _item(
    subject: Entity, benchmark: str, task: str, question: str, options: list[str], key: list[str], kind: str, used: list[str]
) -> BenchmarkItem:
    return BenchmarkItem(
        id=content_id(benchmark, question, *key),
        benchmark=benchmark,
        task=task,
        question=question,
        options=options,
        key=key,
        key_kind=kind,
        subject=subject.id,
        entity_ids=list(dict.fromkeys([subject.id, *used])),
        source=subject.source,
        licence=subject.licence,
    )


def _option_prior(items: Sequence[BenchmarkItem]) -> dict[str, float]:
    """By kind, the accuracy of a guesser who learns from other items how often each option is right; 0.25 is chance."""
    shown = {
        kind: [(one.options, one.options[LETTERS.index(one.key[0])]) for one in items if one.task == kind]
        for kind in sorted({one.task for one in items})
    }
    return {kind: round(prior_learned(questions), 4) for kind, questions in shown.items()}


def _trained_weaknesses(knowledge: Knowledge) -> set[str]:
    """CWE ids that a training vulnerability carries."""
    return {
        link.object.removeprefix("cwe:")
        for one in knowledge.of_type("vulnerability")
        if knowledge.split(one.id) == "train"
        for link in knowledge.links_from(one.id, "instance-of")
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
