"""Which drafts become rows: alternatives are chosen so that no option is mostly right or mostly wrong."""

from collections import Counter

import pytest

from stages.tasks.balance import letters_for, within_quota
from stages.tasks.draft import Draft


def drafts(count: int) -> list[Draft]:
    """Every subject offers each of five names as the right one."""
    names = ["a", "b", "c", "d", "e"]
    return [
        Draft(subject=str(place), slots={}, answer="", options=[right, *[one for one in names if one != right][:3]])
        for place in range(count)
        for right in names
    ]


def test_of_alternatives_the_most_overdue_is_taken_once_a_subject() -> None:
    chosen = within_quota(drafts(100), 60)
    assert len(chosen) == len({draft.subject for draft in chosen}) == 60
    right = Counter(draft.options[0] for draft in chosen)
    wrong = Counter(name for draft in chosen for name in draft.options[1:])
    assert all(wrong[name] <= 3 * right[name] + 3 for name in "abcde")


def test_what_is_never_right_soon_stands_no_more() -> None:
    same = [Draft(subject=str(place), slots={}, answer="", options=[f"r{place}", "x", "y", "z"]) for place in range(50)]
    assert len(within_quota(same, 50)) == 3


@pytest.mark.parametrize("count", [1, 2, 15, 17, 32, 97])
def test_letters_differ_by_one_at_most_however_small_the_task(count: int) -> None:
    chosen = drafts(count)[::5]
    times = Counter(letters_for("some-task", chosen, 0))
    assert sum(times.values()) == count
    assert max(times.values()) - min(times[letter] for letter in "ABCD") <= 1
