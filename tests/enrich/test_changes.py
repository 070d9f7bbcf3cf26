"""What is asked again when one row or one format changes, counted by the server: exactly what depends on it."""

from collections import Counter
from pathlib import Path

import pytest

from stages.enrich.run import run_enrich
from stages.enrich.schema import EnrichedRow
from stages.ground.run import run_ground
from stages.stage import Stage
from stages.tables import read_table
from tests import fake_teacher
from tests.fake_openai import FakeOpenAI
from tests.many_rows import change_format, change_row, number_of, purpose_of, write_many, write_params
from tests.obedient import Messages

ROWS = 150
CHANGED = 37  # a row of task `is-remote`


class Counting:
    """The fake teacher, and what it was asked: purpose and row."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, messages: Messages) -> str:
        self.asked[purpose_of(messages), number_of(messages)] += 1
        return fake_teacher.behaviour(messages)

    def by_purpose(self) -> dict[str, int]:
        """Calls since the last look."""
        found: Counter[str] = Counter()
        for (purpose, _), count in self.asked.items():
            found[purpose] += count
        return dict(found)

    def rows(self) -> set[int]:
        """Rows since the last look."""
        return {int(number) for _, number in self.asked if number}


def build(root: Path) -> dict[str, set[str]]:
    """The two stages; the requests that each row rests on."""
    run_ground(Stage("ground"))
    run_enrich(Stage("enrich"))
    return {row.id: set(row.request_hashes) for row in read_table(root / "data/enrich/rows.parquet", EnrichedRow)}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All rows built once."""
    monkeypatch.chdir(tmp_path)
    write_many(tmp_path, ROWS)
    return tmp_path


def test_only_what_depends_on_a_change_is_asked_again(world: Path) -> None:
    teacher = Counting()
    with FakeOpenAI(behaviour=teacher) as server:
        write_params(world, server.base_url)
        first = build(world)
        everything, at_first = teacher.by_purpose(), set().union(*first.values())
        assert max(teacher.asked[key] for key in teacher.asked if key[0] in ("queries", "filter")) <= 2, (
            "at most one repair a row"
        )

        teacher.asked.clear()
        assert build(world) == first and not teacher.asked, "an unchanged build asks nothing"

        changed = change_row(world, CHANGED)
        teacher.asked.clear()
        second = build(world)
        assert teacher.rows() == {CHANGED} and sum(teacher.asked.values()) == len(second[changed.id] - at_first) >= 3
        assert {row: keys for row, keys in second.items() if row in first} == {row: first[row] for row in second if row in first}

        change_format(world, "is-remote")
        teacher.asked.clear()
        third = build(world)
        new = set().union(*third.values()) - at_first - second[changed.id]
        assert teacher.rows() == {number for number in range(ROWS) if number % 3 == 1}, "the rows of that task"
        assert teacher.by_purpose().keys() == {"filter", "rewrite", "judge"} and sum(teacher.asked.values()) == len(new)
        assert teacher.by_purpose()["rewrite"] < everything["rewrite"] / 2
