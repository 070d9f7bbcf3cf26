"""Wrong options: names say nothing about truth, hard ones first, what may be right never."""

import random
from collections import Counter

from stages.options import Ask, balanced, fresh_options, prior_learned, prior_told, wrong_options

NAMES = [f"option {letter}" for letter in "abcdefghijkl"]


def asks(count: int = 200, **more: object) -> list[Ask]:
    """Questions whose first names are right far more often than the last."""
    draw = random.Random(3)
    rights = [NAMES[min(int(draw.expovariate(0.25)), 11)] for _ in range(count)]
    fields = {"barred": frozenset(), "reserve": NAMES} | more
    return [Ask(key=str(place), right=right, **fields) for place, right in enumerate(rights)]


def shown(made: list[Ask]) -> list[tuple[list[str], str]]:
    return [([ask.right, *wrong], ask.right) for ask, wrong in zip(made, wrong_options(made), strict=True)]


def test_a_guesser_that_knows_the_names_stays_at_chance() -> None:
    made = asks()
    made = [made[place] for place in balanced(made)]
    assert 0.2 <= prior_told(shown(made)) <= 0.35 and prior_learned(shown(made)) <= 0.35
    times = Counter(right for _, right in shown(made))
    wrong = Counter(name for options, right in shown(made) for name in options if name != right)
    assert all(wrong[name] <= 3 * times[name] + 3 for name in wrong)


def test_the_same_few_wrong_options_are_found_out() -> None:
    naive = [([f"right {place % 20}", "x", "y", "z"], f"right {place % 20}") for place in range(200)]
    assert prior_told(naive) == 1.0 and prior_learned(naive) > 0.9


def test_what_is_barred_never_stands_and_options_differ() -> None:
    made = asks(barred=frozenset(name.casefold() for name in NAMES[:3]))
    for options, right in shown(made):
        assert len({name.casefold() for name in options}) == 4
        assert not set(options[1:]) & {*NAMES[:3], right}


def test_hard_options_come_first_while_their_share_lasts() -> None:
    made = [Ask(key=str(place), right=NAMES[place], barred=frozenset(), hard=[NAMES[(place + 1) % 12]]) for place in range(12)]
    assert sum(ask.hard[0] in wrong for ask, wrong in zip(made, wrong_options(made), strict=True)) >= 10


def test_groups_do_not_mix_and_a_small_one_uses_its_reserve() -> None:
    made = [
        Ask(key=str(place), right=name, barred=frozenset(), group=name[0])
        for place, name in enumerate(["a1", "a2", "a3", "a4", "b1"])
    ]
    made[-1] = Ask(key="4", right="b1", barred=frozenset(), group="b", reserve=["b2", "b3"])
    found = wrong_options(made)
    assert all(name[0] == ask.group for ask, names in zip(made, found, strict=True) for name in names)
    assert [len(names) for names in found] == [3, 3, 3, 3, 2]


def test_too_frequent_answers_are_thinned_in_no_particular_place() -> None:
    made = [Ask(key=str(place), right="x" if place % 5 else f"y{place}", barred=frozenset()) for place in range(300)]
    kept = balanced(made)
    share = sum(made[place].right == "x" for place in kept)
    assert share <= (len(kept) - share) / 3 + 1
    assert sum(place >= 150 for place in kept if made[place].right == "x") >= 3


def test_names_asked_once_are_shown_once() -> None:
    made = [
        Ask(key=str(place), right=f"r{place}", barred=frozenset(), hard=[f"w{3 * place + step}" for step in range(9)])
        for place in range(40)
    ]
    options = [([ask.right, *wrong], ask.right) for ask, wrong in zip(made, fresh_options(made), strict=True)]
    assert max(Counter(name for names, _ in options for name in names).values()) == 1
    assert prior_learned(options) <= 0.35


def test_no_questions_is_no_error() -> None:
    assert wrong_options([]) == [] == balanced([]) and prior_told([]) == prior_learned([]) == 0.0
