"""Every task has its generator, its phrasings and its approved format; phrasings really differ."""

import re
from itertools import combinations

import pytest

from stages.errors import InputError
from stages.formats.library import load_library
from stages.prose import slots_of
from stages.tasks.catalogue import FOLDER, generator_of, load_catalogue
from stages.taxonomy import load_taxonomy

MOST_ALIKE = 0.6  # mean Jaccard of word sets between the phrasings of a task


def test_there_are_enough_tasks_each_with_a_generator_of_its_own() -> None:
    catalogue = load_catalogue()
    assert len(catalogue) >= 100
    assert len({task.family for task in catalogue}) >= 14
    assert len({task.generator for task in catalogue}) == len(catalogue)
    for task in catalogue:
        assert callable(generator_of(task))


def test_every_task_has_an_approved_format_that_ends_as_its_key_needs() -> None:
    library = load_library()
    catalogue = load_catalogue()
    assert {task.name for task in catalogue} == set(library)
    for task in catalogue:
        assert library[task.name].status == "approved"
        assert library[task.name].answer_line == ("" if task.key == "none" else "Final answer: {key}"), task.name


def test_every_task_is_labelled_by_categories_of_the_taxonomy() -> None:
    known = {category.name for category in load_taxonomy()}
    for task in load_catalogue():
        assert task.labels and set(task.labels) <= known, task.name


def test_no_phrasing_file_lacks_a_task() -> None:
    assert {path.stem for path in (FOLDER / "phrasings").glob("*.yaml")} == {task.name for task in load_catalogue()}


def test_phrasings_differ_in_words() -> None:
    for task in load_catalogue():
        words = [set(re.findall(r"\w+", phrasing.lower())) for phrasing in task.phrasings]
        alike = [len(one & other) / len(one | other) for one, other in combinations(words, 2)]
        assert sum(alike) / len(alike) < MOST_ALIKE, task.name


def test_phrasings_of_a_task_all_carry_its_long_text() -> None:
    for task in load_catalogue():
        with_text = ["text" in slots_of(phrasing) for phrasing in task.phrasings]
        assert all(with_text) or not any(with_text), task.name


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("t: {family: x}", "missing required field"),
        ("t: {family: x, relation: text, key: smell, labels: [], generator: a.b}", "smell"),
        ("- a", "no mapping"),
    ],
)
def test_a_broken_table_is_one_message(tmp_path, table: str, message: str) -> None:
    (tmp_path / "tasks.yaml").write_text(table)
    with pytest.raises(InputError, match=message):
        load_catalogue(tmp_path)


def test_too_few_phrasings_name_the_file(tmp_path) -> None:
    (tmp_path / "phrasings").mkdir()
    (tmp_path / "tasks.yaml").write_text("t: {family: x, relation: text, key: none, labels: [], generator: a.b}")
    (tmp_path / "phrasings" / "t.yaml").write_text("questions: [one, two]")
    with pytest.raises(InputError, match=r"t\.yaml has 2 phrasing"):
        load_catalogue(tmp_path)
