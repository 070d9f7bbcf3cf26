"""`python -m stages.llm`: what it prints and does."""

from pathlib import Path

import pytest

from stages.llm.__main__ import main
from stages.llm.cache import ResponseCache, cache_path
from tests.llm.test_cache import response


@pytest.fixture
def filled() -> None:
    cache = ResponseCache(cache_path())
    cache.store([response("a" * 64), response("b" * 64, "half", "length"), response("c" * 64, "", "failed:timeout")])
    cache.close()


@pytest.mark.usefixtures("filled")
def test_stats_counts_answers_cut_ones_and_those_of_no_use(capsys: pytest.CaptureFixture[str]) -> None:
    main(["stats"])
    printed = capsys.readouterr().out
    assert "3 answers" in printed and "1 cut" in printed and "1 of no use" in printed


@pytest.mark.usefixtures("filled")
def test_stats_names_the_shared_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    team = ResponseCache(tmp_path / "team.sqlite")
    team.store([response("x"), response("y")])
    team.close()
    Path("params.yaml").write_text(f"runtime: {{shared_cache: {tmp_path}/team.sqlite}}\n", encoding="utf-8")
    main(["stats"])
    assert "team.sqlite (shared, read only): 2 answers" in capsys.readouterr().out


@pytest.mark.usefixtures("filled")
def test_what_is_exported_is_imported_elsewhere_without_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", str(tmp_path / "all.parquet")])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    main(["import", str(tmp_path / "all.parquet")])
    main(["import", str(tmp_path / "all.parquet")])
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2].endswith("2 of them new, 1 failures left out") and "0 of them new" in printed[-1]
    cache = ResponseCache(cache_path())
    assert [one.text for one in cache.rows()] == ["whole", "half"]


@pytest.mark.usefixtures("filled")
def test_gc_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    main(["gc"])
    assert "1 answers removed, 2 kept" in capsys.readouterr().out
    main(["gc", "--days", "0"])
    assert "2 answers removed, 0 kept" in capsys.readouterr().out


def test_a_damaged_cache_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    cache_path().parent.mkdir(parents=True)
    cache_path().write_bytes(b"no database" * 1000)
    with pytest.raises(SystemExit) as ended:
        main(["stats"])
    assert str(ended.value.code).startswith("[llm] the response cache") and "move the file away" in str(ended.value.code)
