"""The SQLite file: a transaction is whole or nothing, and its troubles are messages."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.review.database import Database


def add(database: Database, task: str) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO decisions (task, version_id, data) VALUES (?, 'v', '')", (task,))


def test_what_breaks_off_has_written_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "r.sqlite")
    with pytest.raises(KeyError), database.writing() as connection:
        connection.execute("INSERT INTO decisions (task, version_id, data) VALUES ('t', 'v', '')")
        raise KeyError
    assert database.all("SELECT * FROM decisions") == []
    add(database, "next")
    assert Database(tmp_path / "r.sqlite").all("SELECT task FROM decisions") == [("next",)], "on disk when the block ends"


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    database = Database(tmp_path / "r.sqlite")
    database._connection.execute("PRAGMA foreign_keys=ON")
    with database.writing() as connection:
        connection.execute("CREATE TABLE child (parent INTEGER REFERENCES runs (seq) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(InputError, match="FOREIGN KEY"), database.writing() as connection:
        connection.execute("INSERT INTO child VALUES (7)")  # there is no such parent: SQLite says so at the commit only
    assert not database._connection.in_transaction
    add(database, "next")
    assert database.all("SELECT task FROM decisions") == [("next",)] and database.all("SELECT * FROM child") == []


def test_a_closed_database_is_a_message(tmp_path: Path) -> None:
    database = Database(tmp_path / "r.sqlite")
    database.close()
    with pytest.raises(InputError, match="r.sqlite cannot be used"):
        database.all("SELECT * FROM decisions")
