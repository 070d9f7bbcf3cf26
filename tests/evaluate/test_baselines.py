from stages.evaluate.baselines import answer
from tests.evaluate.planted import benchmark_items, label_row, training_rows


def accuracy(name: str, benchmark: str, train: list) -> float:
    items = [item for item in benchmark_items() if item.benchmark == benchmark]
    answers = answer(name, items, train, 17)
    assert answers is not None and len(answers) == len(items)
    return sum(one in item.key for one, item in zip(answers, items, strict=True)) / len(items)


def test_label_baselines_find_planted_labels() -> None:
    assert accuracy("tfidf-linear", "secforge-rcm", training_rows()) == 1.0
    assert accuracy("bm25-nn", "secforge-rcm", training_rows()) == 1.0


def test_majority_answers_the_most_frequent_label_with_ties_by_name() -> None:
    items = [item for item in benchmark_items(1) if item.benchmark == "secforge-rcm"]
    assert answer("majority", items, training_rows(), 17) == ["CWE-22"] * 4
    assert answer("majority", items, [*training_rows(), label_row("CWE-89", 50)], 17) == ["CWE-89"] * 4


def test_the_nearest_rows_vote_on_options() -> None:
    assert accuracy("bm25-nn", "secforge-mcq", training_rows()) == 1.0


def test_longest_option_and_similarity_answer_with_letters_of_the_item() -> None:
    items = [item for item in benchmark_items() if item.benchmark == "secforge-mcq"]
    assert answer("longest-option", items, training_rows(), 17) == ["ABCD"[item.options.index("CWE-787")] for item in items]
    similar = answer("tfidf-similarity", items, training_rows(), 17)
    assert similar is not None and set(similar) <= set("ABCD")


def test_no_rows_or_no_form_means_no_answers() -> None:
    items = [item for item in benchmark_items(1) if item.benchmark == "secforge-rcm"]
    letters_only = [row for row in training_rows() if row.key_kind == "letter"]
    assert answer("majority", items, letters_only, 17) is None
    assert answer("longest-option", items, training_rows(), 17) is None


def test_one_label_or_words_never_seen_do_not_stop_a_baseline() -> None:
    items = [item for item in benchmark_items(1) if item.benchmark == "secforge-rcm"]
    one_label = [label_row("CWE-79", number) for number in range(3)]
    assert answer("tfidf-linear", items, one_label, 17) == ["CWE-79"] * 4
    strange = [
        type(items[0])(**{field: getattr(items[0], field) for field in items[0].__struct_fields__} | {"question": "§§ 漢字"})
    ]
    assert answer("bm25-nn", strange, training_rows(), 17) is not None
    assert answer("tfidf-linear", strange, training_rows(), 17) is not None


def test_baselines_do_not_depend_on_the_order_of_rows() -> None:
    items = benchmark_items()
    for benchmark, names in {
        "secforge-rcm": ("majority", "tfidf-linear", "bm25-nn"),
        "secforge-mcq": ("tfidf-similarity", "bm25-nn"),
    }.items():
        own = [item for item in items if item.benchmark == benchmark]
        for name in names:
            assert answer(name, own, training_rows(), 17) == answer(name, own, training_rows()[::-1], 17)
