import json
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.public_benchmarks.actors import Actors, lenient_actor, normal, read_actors, strict_actor

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


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("Red Badger", "Red Badger", "Red Badger"),
        ("Reasons that fill a line.\nAPE-7", "APE-7", "APE-7"),
        ("Answer: Blue Heron Group", "", "Blue Heron Group"),
        ("The actor is most likely **Ape 7**, also known as Sly Badger. Reasons:\n1. **Use of tools**: the same.", "", "Ape 7"),
        ("It is to be attributed to **TX505**. The reasons are many, and they are given here.", "", "TX505"),
        ("All of it was done by Blue Heron, as the tools and the hours of work show to us.", "", "Blue Heron"),
        ("The blue heron of the wetlands is a bird; nothing of it is known to any of us here.", "", ""),
        ("Unheard Of", "Unheard Of", "Unheard Of"),
        ("I cannot say.", "", ""),
        ("", "", ""),
    ],
)
def test_the_actor_that_an_output_names(text: str, strict: str, lenient: str) -> None:
    assert "".join(strict_actor(text, ACTORS.known)) == strict
    assert "".join(lenient_actor(text, ACTORS.known)) == lenient


def test_a_graph_file_of_another_form_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    file.write_text(json.dumps({"alias": ALIASES, "related": RELATED}))
    assert read_actors(file).correct("ape 7", "red badger")
    file.write_text("[]")
    with pytest.raises(InputError, match="alias"):
        read_actors(file)
