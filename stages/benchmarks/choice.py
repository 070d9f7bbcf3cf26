"""Four-option items: the kinds of one benchmark in turn, letters exactly balanced, every prefix a fair sample."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from msgspec import structs

from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.questions import Question, complete, load_prompt, questions_of
from stages.benchmarks.schema import BenchmarkItem
from stages.ingest.schema import Entity
from stages.kinds import Kind
from stages.knowledge import Knowledge
from stages.options import balanced
from stages.prose import fill
from stages.tables import Reject, content_id

LETTERS = "ABCD"
Complete = Callable[[list[Question]], list[Question]]  # gives questions their wrong options; leaves out those without


def choice_items(
    knowledge: Knowledge, kinds: Sequence[Kind], benchmark: str, params: BenchmarksParams, finish: Complete = complete
) -> tuple[list[BenchmarkItem], list[Reject]]:
    """Items of `benchmark` in their order, and what was rejected."""
    by_kind: dict[str, list[Question]] = defaultdict(list)
    rejects: list[Reject] = []
    own = [kind for kind in kinds if kind.benchmark == benchmark]
    for kind in own:
        for one in questions_of(knowledge, kind, params.max_text_words):
            if isinstance(one, Reject):
                rejects.append(one)
            else:
                by_kind[kind.name].append(one)
        if kind.per_subject == 1:
            by_kind[kind.name], same = _one_per_text(by_kind[kind.name])
            rejects += same
        by_kind[kind.name], often = _within(by_kind[kind.name], kind.per_answer, params.seed)
        rejects += often
    stems = {kind.name: kind.question for kind in own}
    return as_items(knowledge, by_kind, stems, benchmark, params, finish), rejects


def as_items(
    knowledge: Knowledge,
    by_kind: dict[str, list[Question]],
    stems: dict[str, str],
    benchmark: str,
    params: BenchmarksParams,
    finish: Complete = complete,
) -> list[BenchmarkItem]:
    """Questions within the benchmark's size as items; `stems` hold the wording of each kind with a place for the text."""
    asked = _asked(by_kind, params.size(benchmark), params.seed, finish)
    prompt, letters = load_prompt("mcq"), letters_of(len(asked), LETTERS, params.seed)
    return [
        _choice_item(knowledge, benchmark, question, letter, prompt, stems[question.kind])
        for question, letter in zip(asked, letters, strict=True)
    ]


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


def _within(questions: list[Question], per_answer: int, seed: int) -> tuple[list[Question], list[Reject]]:
    """At most `per_answer` questions with one right answer (0: all of them), by hash."""
    kept: list[Question] = []
    rejects: list[Reject] = []
    times: Counter[str] = Counter()
    for question in round_robin({"": questions}, seed):
        times[question.ask.right] += 1
        if per_answer and times[question.ask.right] > per_answer:
            rejects.append(Reject(question.kind, question.subject, "answer-asked-often", question.ask.right))
        else:
            kept.append(question)
    return kept, rejects


def _asked(by_kind: dict[str, list[Question]], limit: int, seed: int, finish: Complete) -> list[Question]:
    """The questions within the limit, with their options; a number that the letters divide."""
    fair = {kind: [questions[place] for place in balanced([one.ask for one in questions])] for kind, questions in by_kind.items()}
    kinds: dict[str, list[Question]] = defaultdict(list)
    for question in round_robin(fair, seed)[:limit]:
        kinds[question.kind].append(question)
    asked = round_robin({kind: finish(questions) for kind, questions in kinds.items()}, seed)
    return asked[: len(asked) // len(LETTERS) * len(LETTERS)]


def round_robin(by_kind: dict[str, list[Question]], seed: int) -> list[Question]:
    """Kinds in turn, each in hash order: every prefix holds the kinds as evenly as they last."""
    queues = {
        kind: sorted(questions, key=lambda one: content_id(str(seed), one.kind, one.ask.key))
        for kind, questions in sorted(by_kind.items())
    }
    longest = max(map(len, queues.values()), default=0)
    return [queue[place] for place in range(longest) for queue in queues.values() if place < len(queue)]


def letters_of(count: int, letters: str, seed: int) -> list[str]:
    """Blocks, each a permutation of the letters: any prefix is balanced to within one."""
    found: list[str] = []
    for block in range(-(-count // len(letters))):
        found += sorted(letters, key=lambda letter: content_id(str(seed), str(block), letter))
    return found[:count]


def _choice_item(knowledge: Knowledge, benchmark: str, question: Question, letter: str, prompt: str, stem: str) -> BenchmarkItem:
    right, *wrong = question.options
    options = sorted(wrong, key=lambda option: content_id(question.subject, option))
    options.insert(LETTERS.index(letter), right)
    asked = fill(stem, {"text": question.text})
    return letter_item(
        knowledge.entities[question.subject], benchmark, question.kind, (prompt, asked), options, letter, question.entities
    )


def letter_item(
    subject: Entity, benchmark: str, kind: str, wording: tuple[str, str], options: list[str], letter: str, used: list[str]
) -> BenchmarkItem:
    """An item with a letter as its key; `wording` is the prompt file's text and the question that it shows."""
    prompt, asked = wording
    listed = "\n".join(f"{name}. {option}" for name, option in zip(LETTERS, options, strict=False))
    shown = fill(prompt, {"question": asked, "options": listed})
    return make_item(subject, benchmark, kind, shown, options, [letter], "letter", used)


def make_item(
    subject: Entity, benchmark: str, task: str, question: str, options: list[str], key: list[str], kind: str, used: list[str]
) -> BenchmarkItem:
    """An item about `subject`, whose source and licence it carries."""
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
