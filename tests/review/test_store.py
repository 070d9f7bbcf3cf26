"""Versions and decisions as they are kept: the first text of an id stays, and what is newest comes first."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.review.schema import Decision
from stages.review.stamps import now
from stages.review.store import ReviewStore
from tests.review.made import make_run, make_version
from tests.review.sample import CHOSEN, sample_format


def test_a_damaged_file_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="r.sqlite cannot be used"):
        ReviewStore(tmp_path / "r.sqlite")
    assert not list(tmp_path.glob("*.lock"))


def test_a_version_is_kept_once_and_never_changed(tmp_path: Path) -> None:
    store = ReviewStore(tmp_path / "r.sqlite")
    first, second = (make_version("one", sample_format(CHOSEN), author=author) for author in ("Ada", "Bob"))
    store.add_versions([first])
    store.add_versions([second, make_version("filed", sample_format(CHOSEN), origin="library")])
    assert store.version("one") == first and store.version("no such id") is None
    assert [version.id for version in store.versions(CHOSEN)] == ["filed", "one"] and store.versions("another") == []
    assert set(store.library_versions()) == {"filed"}
    store.runs.add(make_run(task="tried only"))
    assert store.counts() == {CHOSEN: (2, 0), "tried only": (0, 1)}


def test_the_last_decision_comes_first(tmp_path: Path) -> None:
    store = ReviewStore(tmp_path / "r.sqlite")
    for verdict in ("approved", "rejected"):
        store.add_decision(
            Decision(task=CHOSEN, version_id="one", verdict=verdict, reviewer="Bob", note="", created=now())  # type: ignore[arg-type]
        )
    store.close()
    assert [one.verdict for one in ReviewStore(tmp_path / "r.sqlite").decisions(CHOSEN)] == ["rejected", "approved"]


def test_a_closed_store_leaves_its_runs_interrupted_and_no_lock_file(tmp_path: Path) -> None:
    store = ReviewStore(tmp_path / "r.sqlite")
    run = store.runs.add(make_run())
    store.close()
    assert not list(tmp_path.glob("*.lock"))
    later = ReviewStore(tmp_path / "r.sqlite").runs.run(run.id)
    assert later and later.state == "interrupted" and later.error
