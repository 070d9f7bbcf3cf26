import random

from stages.validate.duplicates import conflicting, near_pairs, remove_duplicates
from stages.validate.params import DuplicateParams
from tests.validate.samples import mapping_row, row, sentence

PARAMS = DuplicateParams()


def changed(text: str, word: int) -> str:
    parts = text.split()
    parts[word] = "entirely"
    return " ".join(parts)


def test_equal_words_are_an_exact_duplicate_and_the_smallest_id_stays() -> None:
    one, two = row(1, id="b"), row(1, id="a", instruction=row(1).instruction.upper())
    result = remove_duplicates([one, two, row(2)], PARAMS)
    assert {kept.id for kept in result.rows} == {"a", row(2).id}
    assert [(reject.record, reject.reason) for reject in result.rejects] == [("b", "duplicate-exact")]
    assert "of a" in result.rejects[0].detail
    assert (result.clusters, result.largest) == (1, 2)


def test_near_duplicates_are_found_and_distant_texts_are_not() -> None:
    text = sentence(1, 120)
    rows = [row(1, id="a", answer=text), row(1, id="b", answer=changed(text, 60)), row(1, id="c", answer=sentence(2, 120))]
    result = remove_duplicates(rows, PARAMS)
    assert [reject.record for reject in result.rejects] == ["b"]
    assert result.rejects[0].reason == "duplicate-near"


def test_a_rewritten_answer_stays_before_a_template() -> None:
    rows = [mapping_row(1, id="a"), mapping_row(1, id="b", decision="rewritten", answer="Told anew.\nFinal answer: CWE-79")]
    assert [kept.id for kept in remove_duplicates(rows, PARAMS).rows] == ["b"]


def test_rows_with_different_keys_are_never_duplicates() -> None:
    text = sentence(3, 150)
    rows = [mapping_row(1, key, id=key, instruction=text) for key in ("CWE-79", "CWE-80")]
    assert len(remove_duplicates(rows, PARAMS).rows) == 2
    assert [(one.id, two.id) for one, two in conflicting(rows)] == [("CWE-79", "CWE-80")]


def test_each_dropped_row_is_a_duplicate_of_a_row_that_stays() -> None:
    """A chain a ~ b ~ c where a and c differ keeps a and c."""
    first = sentence(4, 140)
    second = " ".join(first.split()[10:] + sentence(5, 10).split())
    third = " ".join(second.split()[10:] + sentence(6, 10).split())
    rows = [
        row(0, id=name, instruction="What is it about?", answer=text)
        for name, text in zip("abc", (first, second, third), strict=True)
    ]
    result = remove_duplicates(rows, PARAMS)
    assert [kept.id for kept in result.rows] == ["a", "c"]


def test_planted_near_duplicates_are_recalled() -> None:
    chance = random.Random(7)
    texts = [sentence(number, 100) for number in range(400)]
    twins = [changed(text, chance.randrange(100)) for text in texts]  # similarity at least 91/101
    pairs = near_pairs(texts + twins, ["same"] * 800, PARAMS)
    assert sum((number, number + 400) in pairs for number in range(400)) >= 398


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = [row(number % 7, id=f"{number:02}") for number in range(30)]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert remove_duplicates(rows, PARAMS) == remove_duplicates(shuffled, PARAMS)


def test_no_rows_and_very_short_rows() -> None:
    assert remove_duplicates([], PARAMS).rows == []
    assert (
        len(
            remove_duplicates([row(1, instruction="Name it", answer="x"), row(2, instruction="Call it", answer="y")], PARAMS).rows
        )
        == 2
    )


def test_a_train_row_goes_for_its_twin_in_dev_and_is_counted() -> None:
    text = sentence(1, 120)
    rows = [
        row(1, id="a", answer=text, decision="rewritten"),
        row(1, id="b", answer=changed(text, 60), split="dev"),
        row(2, id="c", split="dev"),
        row(2, id="d", split="dev", instruction=row(2).instruction.upper()),
    ]
    result = remove_duplicates(rows, PARAMS)
    assert [kept.id for kept in result.rows] == ["b", "c"] and result.leaks == 1
    assert result.pairs["near"] == {"within_train": 0, "within_dev": 0, "train_and_dev": 1}
    assert result.pairs["exact"] == {"within_train": 0, "within_dev": 1, "train_and_dev": 0}


def test_clusters_list_every_member_with_the_row_that_stays_first() -> None:
    text = sentence(3, 120)
    rows = [row(1, id="c", answer=text), row(1, id="a", answer=changed(text, 60)), row(1, id="b", answer=text), row(5, id="z")]
    members = remove_duplicates(rows, PARAMS).members
    assert [(one.cluster, one.row, one.kept, one.kind) for one in members] == [
        ("a", "a", True, ""),
        ("a", "b", False, "near"),
        ("a", "c", False, "near"),
    ]
    assert members[0].similarity == 1 and 0.8 <= members[1].similarity < 1
