import time

import pytest

from stages.public_benchmarks.actor_names import lenient_actor, strict_actor
from stages.public_benchmarks.text import MOST_CHARACTERS
from tests.public_benchmarks.test_actors import ACTORS


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
        # with another name beside it
        ("Sly Badger (APE-7)", "Sly Badger", "Sly Badger"),
        ("Mud Rat (APE7)", "APE7", "APE7"),
        ("APE7 (Mud Rat)", "APE7", "APE7"),
        ("Mud Rat aka Blue Heron", "Blue Heron", "Blue Heron"),
        ("Mud Rat, also known as Blue Heron.", "Blue Heron", "Blue Heron"),
        ("Reasons.\n**Blue Heron (APE12)**", "", "Blue Heron"),
        ("Mud Rat (Old Newt)", "Mud Rat", "Mud Rat"),
        # after a label
        ("Threat actor: blue heron", "", "blue heron"),
        ("**Threat Actor:** Blue Heron\nReasons: as the Grey Wolf does.", "", "Blue Heron"),
        ("Attribution: Mud Rat\nReasons: tools of Grey Wolf.", "", "Mud Rat"),
        ("<answer>blue heron</answer> (Grey Wolf is far off)", "", "blue heron"),
        (r"\boxed{Blue Heron}", "", "Blue Heron"),
        # where it settles
        ("Not Grey Wolf; it is Blue Heron", "", "Blue Heron"),
        ("It is not Grey Wolf but Blue Heron.", "", "Blue Heron"),
        ("The tools of Grey Wolf are named, but the hours of work point to Blue Heron in the end of it all.", "", "Blue Heron"),
        ("The threat actor is most likely Blue Heron, close to Grey Wolf.", "", "Blue Heron"),
        ("Blue Heron\n\nReasons: the tools of Grey Wolf were not found at all in this case.", "", "Blue Heron"),
        ("It is Blue Heron", "", "Blue Heron"),
        ("The actor is Blue Heron.", "", "Blue Heron"),
        ("Likely Blue Heron", "", "Blue Heron"),
        ("The report describes Blue Heron.", "The report describes Blue Heron", "Blue Heron"),
        # nobody
        ("Unknown", "", ""),
        ("Unable to determine", "", ""),
        ("**Unknown**", "", ""),
        ("Answer: not specified", "", ""),
        ("Threat actor: unknown", "", ""),
        ("N/A", "", ""),
        ("Unidentified threat group", "", ""),
        ("It is not Grey Wolf.", "", ""),
        ("", "", ""),
    ],
)
def test_the_actor_that_an_output_names(text: str, strict: str, lenient: str) -> None:
    assert "".join(strict_actor(text, ACTORS.known)) == strict
    assert "".join(lenient_actor(text, ACTORS.known)) == lenient


@pytest.mark.parametrize("unit", ["Blue Heron ", "not ", "actor is ", "**Ape", "(", "it is the ", "Answer: ", "group: "])
def test_hostile_text_is_read_in_a_moment(unit: str) -> None:
    text = (unit * MOST_CHARACTERS)[:MOST_CHARACTERS]
    started = time.perf_counter()
    strict_actor(text, ACTORS.known), lenient_actor(text, ACTORS.known)
    assert time.perf_counter() - started < 2.0
