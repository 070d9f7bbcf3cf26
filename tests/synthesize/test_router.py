"""The schedule: Self-Instruct doubles every two iterations, and nothing is evolved out of nothing."""

from collections import Counter

from stages.synthesize.router import method_of, probability


def test_the_probability_doubles_every_two_iterations_up_to_one() -> None:
    assert [probability(0.1, iteration) for iteration in range(10)] == [0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.8, 0.8, 1.0, 1.0]


def test_methods_follow_the_schedule_over_many_documents() -> None:
    for iteration, least, most in ((0, 0.05, 0.15), (4, 0.33, 0.47), (8, 1.0, 1.0)):
        counts = Counter(method_of(f"doc:{n}", iteration, 0.1, has_seed=True) for n in range(1000))
        assert least <= counts["self-instruct"] / 1000 <= most


def test_without_a_pair_the_first_is_new() -> None:
    assert {method_of(f"doc:{n}", 0, 0.0, has_seed=False) for n in range(20)} == {"self-instruct"}
    assert {method_of(f"doc:{n}", 0, 0.0, has_seed=True) for n in range(20)} == {"evolve"}
