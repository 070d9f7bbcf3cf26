"""The response cache: many processes, a kill, a full disk, a cache that a team shares, and what wins of two answers."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from stages.errors import LLMError
from stages.llm.cache import LOGGED, ResponseCache
from stages.llm.schema import StoredResponse


def response(key: str, text: str = "whole", finish_reason: str = "stop") -> StoredResponse:
    return StoredResponse(
        key=key, namespace="n", model="m", text=text, finish_reason=finish_reason, prompt_tokens=1, completion_tokens=1
    )


LADDER = [("", "failed:timeout"), ("\n ", "stop"), ("half", "length"), ("whole", "stop")]


@pytest.mark.parametrize("replay", [False, True])
def test_a_stored_answer_gives_way_to_a_better_one_only(tmp_path: Path, replay: bool) -> None:
    cache = ResponseCache(tmp_path / "r.sqlite")
    for rank, better in enumerate(LADDER):
        cache.store([response("k", *better)], replay=False)
        for worse in LADDER[:rank]:
            cache.store([response("k", *worse)], replay=replay)
        final = replay and 0 < rank < len(LADDER) - 1  # a failure for good: nothing better will come, unless it does
        assert cache.get("k") == (response("k", *better), final)
    cache.store([response("k", "another", "stop")], replay=replay)
    assert cache.get("k") == (response("k", "whole", "stop"), False)


def test_who_comes_second_is_told_what_the_first_has_stored(tmp_path: Path) -> None:
    one, two = ResponseCache(tmp_path / "r.sqlite"), ResponseCache(tmp_path / "r.sqlite")

    async def both() -> list[list[StoredResponse]]:
        return [await one.put([response("k", "first")]), await two.put([response("k", "second"), response("l", "own")])]

    assert asyncio.run(both()) == [[response("k", "first")], [response("k", "first"), response("l", "own")]]


def test_gc_takes_what_is_of_no_use_and_keeps_answers_of_any_name(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "r.sqlite")
    useless = [("", "failed:timeout"), ("", "stop"), (" \n", "length"), ("x", "content_filter")]
    kept = [("x", "stop"), ("x", "length"), ("x", "eos_token")]
    cache.store([response(str(number), *one) for number, one in enumerate(useless + kept)])
    assert [(group.answers, group.failed, group.cut) for group in cache.groups()] == [(7, 4, 2)]
    assert cache.remove(older_than=None) == len(useless)
    assert [(one.text, one.finish_reason) for one in cache.rows()] == kept


def test_many_answers_are_found_together_in_the_order_asked(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "r.sqlite")
    cache.store([response(f"{number:04}") for number in range(1200)])
    keys = [f"{number:04}" for number in range(1199, -1, -1)]
    assert [one.key for one in cache.get_all([*keys, "absent"])] == keys


WRITE = """
    import asyncio, sys
    from pathlib import Path
    from stages.llm.cache import ResponseCache
    from tests.llm.test_cache import response

    async def main(name, count):
        cache = ResponseCache(Path("r.sqlite"))
        async def work(number):
            stored = await cache.put([response(f"{number}", f"of {name}")])
            assert cache.get(f"{number}")[0] == stored[0]
            print(number, stored[0].text, flush=True)
        for start in range(0, count, 20):
            await asyncio.gather(*[work(number) for number in range(start, min(count, start + 20))])
        await cache.settle()
        cache.close()
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def write(folder: Path, name: str, count: int, before: str = "") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", textwrap.dedent(before) + textwrap.dedent(WRITE), name, str(count)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_write_the_same_keys_at_the_same_time_all_see_one_answer(tmp_path: Path) -> None:
    processes = [write(tmp_path, str(name), 400) for name in range(4)]
    told = [set(process.communicate(timeout=120)[0].splitlines()) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert told[0] == told[1] == told[2] == told[3] and len(told[0]) == 400


def test_a_transaction_of_another_process_is_waited_for(tmp_path: Path) -> None:
    cache, other = ResponseCache(tmp_path / "r.sqlite"), sqlite3.connect(tmp_path / "r.sqlite", isolation_level=None)

    async def run() -> StoredResponse:
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(cache.put([response("k")]))
        await asyncio.sleep(0.3)  # the event loop goes on meanwhile
        assert not task.done() and cache.get("k") is None
        other.execute("COMMIT")
        return (await task)[0]

    assert asyncio.run(run()) == response("k")


def test_the_log_is_emptied_into_the_file_while_answers_arrive(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path / "r.sqlite")

    async def run() -> None:
        for number in range(LOGGED + 1):
            await cache.put([response(str(number), "x" * 500)])
        await cache.settle()
        await cache.put([response("last")])

    asyncio.run(run())
    assert (tmp_path / "r.sqlite").stat().st_size > LOGGED * 500


@pytest.mark.parametrize("lines", [1, 150, 700])
def test_a_killed_process_loses_nothing_that_was_told(tmp_path: Path, lines: int) -> None:
    process = write(tmp_path, "killed", 100_000)
    told = [process.stdout.readline() for _ in range(lines)]  # type: ignore[union-attr]
    os.kill(process.pid, signal.SIGKILL)
    told += [line for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("killed\n")]
    cache = ResponseCache(tmp_path / "r.sqlite")
    assert all(cache.get(line.split()[0]) for line in told)
    assert cache._database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    cache.store([response("after")])


FULL = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
"""


def test_a_full_disk_ends_the_run_with_a_remedy_and_what_was_stored_stays(tmp_path: Path) -> None:
    process = write(tmp_path, "full", 100_000, before=FULL)
    told, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "Free space on its disk" in said
    keys = [line.split()[0] for line in told.splitlines()]
    cache = ResponseCache(tmp_path / "r.sqlite")
    assert len(keys) > 100 and all(cache.get(key) for key in keys)
    assert cache._database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert write(tmp_path, "again", 2000).wait() == 0


def test_a_page_limit_is_explained_like_a_full_disk(tmp_path: Path) -> None:
    one, two = ResponseCache(tmp_path / "r.sqlite"), ResponseCache(tmp_path / "r.sqlite")
    one.store([response("k")])
    assert two.get("k") == (response("k"), False)
    pages = one._database.execute("PRAGMA page_count").fetchone()[0]
    one._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LLMError, match="Free space"):
        one.store([response("big", "x" * 100_000)])
    assert two.get("k") == (response("k"), False) and two.get("big") is None


def test_a_file_that_is_no_cache_is_explained(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(LLMError, match="move the file away"):
        ResponseCache(tmp_path / "r.sqlite")


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A cache that a team shares: a whole answer, a cut one and a failure."""
    path = tmp_path / "team" / "responses.sqlite"
    cache = ResponseCache(path)
    cache.store([response("whole", "theirs"), response("cut", "half", "length"), response("failed", "", "failed:timeout")])
    cache.close()
    return path


def test_a_shared_cache_is_asked_second_and_never_for_failures(tmp_path: Path, team: Path) -> None:
    cache = ResponseCache(tmp_path / "own.sqlite", team)
    assert cache.get("whole") == (response("whole", "theirs"), False) and cache.get("failed") is None
    assert cache.get("cut") == (response("cut", "half", "length"), False)
    cache.store([response("whole", "ours"), response("cut", "our half", "length")])
    assert [cache.get(key)[0].text for key in ("whole", "cut")] == ["ours", "our half"]  # type: ignore[index]
    assert [one.text for one in cache.get_all(["cut", "whole", "failed"])] == ["our half", "ours"]


def test_a_better_answer_of_the_team_is_preferred(tmp_path: Path, team: Path) -> None:
    cache = ResponseCache(tmp_path / "own.sqlite", team)
    cache.store([response("whole", "", "failed:timeout")])
    assert cache.get("whole") == (response("whole", "theirs"), False)


def test_a_shared_cache_is_never_written_not_even_beside_it(tmp_path: Path, team: Path) -> None:
    before = team.read_bytes()
    cache = ResponseCache(tmp_path / "own.sqlite", team)
    cache.get("whole")
    cache.store([response("new")])
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        cache._team.execute("DELETE FROM responses")  # type: ignore[union-attr]
    cache.close()
    assert team.read_bytes() == before and ResponseCache(team).get("new") is None


READ = """
    import os, sys
    from pathlib import Path
    from stages.llm.database import connect_read_only
    if os.getuid() == 0:  # who may write everywhere
        os.setgid(65534); os.setuid(65534)
    print(connect_read_only(Path(sys.argv[1])).execute("SELECT COUNT(*) FROM responses").fetchone()[0])
"""


def test_a_shared_cache_in_a_folder_that_this_user_may_not_write_is_read(team: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(team, folder)
        (Path(folder) / team.name).chmod(0o444)
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", textwrap.dedent(READ), f"{folder}/{team.name}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        Path(folder).chmod(0o755)
    assert done.stdout == "3\n", done.stderr


def test_a_shared_cache_that_is_not_there_is_an_error_because_its_answers_would_be_paid_again(tmp_path: Path) -> None:
    with pytest.raises(LLMError, match=r"(?s)team.sqlite is not there.*runtime.shared_cache"):
        ResponseCache(tmp_path / "own.sqlite", tmp_path / "team.sqlite")


WHERE = """
    from pathlib import Path
    from stages.llm.cache import ResponseCache, cache_path
    from tests.llm.test_cache import response

    cache = ResponseCache(cache_path())
    Path("found.txt").write_text(f"{Path.cwd()}\\n{len(list(cache.rows()))}\\n")
    cache.store([response(Path("params.yaml").read_text())])
"""
PIPELINE = "stages: {find: {cmd: '%s where.py', params: [x], deps: [where.py], outs: [found.txt]}}\n"


@pytest.mark.slow
def test_an_experiment_in_a_temporary_workspace_uses_the_cache_of_the_repository(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "GIT_CONFIG_GLOBAL": "/dev/null"}

    def run(*command: str) -> str:
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    run("git", "init", "--quiet")
    run("git", "config", "user.email", "test@example.org")
    run("git", "config", "user.name", "test")
    run(sys.executable, "-m", "dvc", "init", "--quiet")
    (tmp_path / "where.py").write_text(textwrap.dedent(WHERE), encoding="utf-8")
    (tmp_path / "params.yaml").write_text("x: 1\n", encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text(PIPELINE % sys.executable, encoding="utf-8")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", "first")
    run(sys.executable, "-m", "dvc", "exp", "run", "--quiet")
    run(sys.executable, "-m", "dvc", "exp", "run", "--quiet", "--temp", "--set-param", "x=2")
    cache = ResponseCache(tmp_path / ".dvc" / "secforge" / "responses.sqlite")
    assert sorted(one.key for one in cache.rows()) == ["x: 1\n", "x: 2\n"]
