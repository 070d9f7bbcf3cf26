import json
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.public_benchmarks.actors import Actors, normal, read_actors

ALIASES = {
    "red badger": ["ape 7", "Sly Badger", "nan"],
    "sly badger": ["operation digger"],
    "blue heron": ["ape12"],
    "grey wolf": ["nan"],
    "lone moth": ["nan"],
}
RELATED = {"red badger": ["blue heron"], "blue heron": ["white crow"], "lone moth": ["nan"]}
ACTORS = Actors(ALIASES, RELATED)


def test_aliases_are_walked_both_ways_and_through() -> None:
    assert ACTORS.correct("Operation Digger", "APE-7")
    assert ACTORS.correct("unheard of", "Unheard Of")
    assert not ACTORS.correct("Blue Heron", "Red Badger")


def test_related_groups_are_plausible_and_correct_ones_too() -> None:
    assert ACTORS.plausible("white crow", "operation digger")
    assert ACTORS.plausible("APE 12", "Red Badger")
    assert ACTORS.plausible("ape 7", "red badger")
    assert not ACTORS.plausible("grey wolf", "red badger")


def test_empty_cells_join_nothing_but_in_the_published_script() -> None:
    assert not ACTORS.plausible("lone moth", "grey wolf") and not ACTORS.correct("lone moth", "grey wolf")
    assert ACTORS.plausible_as_published("lone moth", "grey wolf")
    assert not ACTORS.correct("nan", "nan")


@pytest.mark.parametrize(("one", "two"), [("APT 28", "apt-28"), ("Lazarus", "The Lazarus Group"), ("C-Major", "C Major")])
def test_names_that_differ_in_form_only(one: str, two: str) -> None:
    assert normal(one) == normal(two)


def test_a_graph_file_of_another_form_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    file.write_text(json.dumps({"alias": ALIASES, "related": RELATED}))
    assert read_actors(file).correct("ape 7", "red badger")
    file.write_text("[]")
    with pytest.raises(InputError, match="alias"):
        read_actors(file)
