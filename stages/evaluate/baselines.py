"""Cheap systems trained on the same rows, which any model has to beat before its score means something.

Open questions (key kinds with labels): the majority label, TF-IDF with a linear SVM, the nearest row by BM25.
Multiple choice needs forms of its own: the majority letter, the longest option (a check of the benchmark, not a
system), TF-IDF likeness of question and option, and how well options fit the training rows nearest the question.
Each baseline maps items to answers; no rows to learn from means no answers.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from stages.benchmarks.schema import BenchmarkItem
from stages.evaluate.retrieval import TrainingIndex, keyed_rows
from stages.validate.schema import TrainingRow

NEIGHBOURS = 10  # rows that vote on the options of a question
_OPTION_LINE = re.compile(r"^[A-Z][.)] ", re.MULTILINE)

Answerer = Callable[[Sequence[BenchmarkItem], Sequence[TrainingRow], int], list[str]]


def answer(name: str, items: Sequence[BenchmarkItem], train: Sequence[TrainingRow], seed: int) -> list[str] | None:
    """One answer per item (all of one key kind), or None if baseline `name` has no form for them or no rows to learn from."""
    kind = "letter" if items[0].key_kind == "letter" else "label"
    answerer = BASELINES.get((name, kind))
    rows = keyed_rows(train, items[0].key_kind)
    return answerer(items, rows, seed) if answerer and rows else None


def majority(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int) -> list[str]:
    """The most frequent key of the rows; of equals the first in order."""
    counts = Counter(key for row in rows for key in row.answer_key)
    return [min(counts, key=lambda key: (-counts[key], key))] * len(items)


def linear_svm(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int) -> list[str]:
    """TF-IDF of words and word pairs (sublinear) into a linear SVM; a row with several keys teaches each."""
    pairs = _taught(rows)
    if len({key for _, key in pairs}) < 2:
        return majority(items, rows, seed)
    return [str(label) for label in _fitted(pairs, seed).predict([item.question for item in items])]


def ranked_labels(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int, count: int) -> list[list[str]]:
    """The `count` best labels of each item by the linear SVM, best first; the majority label alone where there is but one."""
    import numpy as np

    pairs = _taught(rows)
    if len({key for _, key in pairs}) < 2:
        return [[label] for label in majority(items, rows, seed)]
    model = _fitted(pairs, seed)
    values = model.decision_function([item.question for item in items])
    values = np.stack([-values, values], axis=1) if values.ndim == 1 else values
    return [[str(model.classes_[place]) for place in np.argsort(-row, kind="stable")[:count]] for row in values]


def nearest_label(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int) -> list[str]:
    """The first key of the row whose instruction is nearest by BM25."""
    index = TrainingIndex(rows, [row.instruction for row in rows])
    return [index.nearest(item.question, 1)[0].answer_key[0] for item in items]


def longest_option(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int) -> list[str]:
    """The option with most characters: above chance only if the benchmark gives its answers away."""
    return [_best([float(len(option)) for option in item.options]) for item in items]


def similar_option(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int) -> list[str]:
    """The option whose TF-IDF vector (weights from the training rows) is nearest the question's."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    vectorizer.fit([f"{row.instruction}\n{row.answer}" for row in rows])
    answers = []
    for item in items:
        question, options = vectorizer.transform([_stem(item)]), vectorizer.transform(item.options)
        answers.append(_best((options @ question.T).toarray().ravel().tolist()))
    return answers


def neighbours_option(items: Sequence[BenchmarkItem], rows: Sequence[TrainingRow], seed: int) -> list[str]:
    """The option that fits the rows nearest the question: BM25 of option times BM25 of question, per option word."""
    index = TrainingIndex(rows, [f"{row.instruction}\n{row.answer}" for row in rows])
    answers = []
    for item in items:
        of_question = index.scores(_stem(item))
        near = sorted(range(len(rows)), key=lambda place: (-of_question[place], rows[place].id))[:NEIGHBOURS]
        answers.append(
            _best([_fit(index.scores(option), of_question, near) / max(1, len(option.split())) for option in item.options])
        )
    return answers


BASELINES: dict[tuple[str, str], Answerer] = {
    ("majority", "label"): majority,
    ("tfidf-linear", "label"): linear_svm,
    ("bm25-nn", "label"): nearest_label,
    ("majority", "letter"): majority,
    ("longest-option", "letter"): longest_option,
    ("tfidf-similarity", "letter"): similar_option,
    ("bm25-nn", "letter"): neighbours_option,
}


def _taught(rows: Sequence[TrainingRow]) -> list[tuple[str, str]]:
    return [(row.instruction, key) for row in rows for key in row.answer_key]


def _fitted(pairs: Sequence[tuple[str, str]], seed: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC(random_state=seed))
    return model.fit([text for text, _ in pairs], [key for _, key in pairs])


def _stem(item: BenchmarkItem) -> str:
    """The question without its option lines."""
    first = _OPTION_LINE.search(item.question)
    return item.question[: first.start()] if first and first.start() else item.question


def _fit(of_option: Sequence[float], of_question: Sequence[float], near: Sequence[int]) -> float:
    return sum(of_option[place] * of_question[place] for place in near)


def _best(scores: Sequence[float]) -> str:
    """The letter of the highest score, the first of equals."""
    return string.ascii_uppercase[max(range(len(scores)), key=lambda place: (scores[place], -place))]
