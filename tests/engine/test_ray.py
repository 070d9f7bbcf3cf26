"""Ground and enrich under Ray: the bytes of the local run, also on a cluster that is joined and when a worker dies."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.enrich.run import run_enrich
from stages.errors import LLMError, ParamsError
from stages.ground.run import run_ground
from stages.llm.watch import log_path, read_log
from stages.stage import Stage
from stages.tables import read_table
from stages.tasks.schema import InstructionRow
from tests import fake_teacher
from tests.engine.workspace import make_workspace
from tests.enrich.test_run import hashes
from tests.fake_openai import FakeOpenAI

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KEY = "sk-a-key-of-this-test-0123456789"
ROWS = 150


@pytest.fixture(scope="module")
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(behaviour=fake_teacher.behaviour, latency=0.02, key=KEY) as running:
        yield running


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = ray_processes()
    yield
    deadline = time.monotonic() + 60  # they see that their parent is gone
    while (left := ray_processes() - before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left, [command_of(pid) for pid in left]


def make(root: Path, url: str, engine: str, more: str = "") -> Path:
    """A workspace with ROWS rows and params for `engine`."""
    return make_workspace(root, url, rows=ROWS, engine=engine, key="RAY_TEST_KEY", more=more)


def run(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(root)
    monkeypatch.setenv("RAY_TEST_KEY", KEY)
    run_ground(Stage("ground"))
    run_enrich(Stage("enrich"))
    return hashes(root)


@pytest.fixture(scope="module")
def local(server: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        return run(make(tmp_path_factory.mktemp("local") / "root", server.base_url, "local"), patch)


def ray_processes() -> set[int]:
    """Processes of Ray on this machine that are not zombies."""
    return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_ray(command_of(pid))}


def is_ray(command: str) -> bool:
    return command.startswith("ray::") or any(part in command for part in ("/raylet/raylet", "/gcs/gcs_server", "ray/dashboard"))


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_two_processes_give_the_local_tables_and_no_key_leaves_the_client(
    server: FakeOpenAI, local: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, str] = {}
    told: list[str] = []

    def look() -> None:
        while not over.wait(0.2):
            for pid in ray_processes():
                seen[pid] = command_of(pid)
                try:
                    if KEY.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                        told.append(seen[pid])
                except OSError:
                    continue

    over = threading.Event()
    looking = threading.Thread(target=look)
    looking.start()
    try:
        found = run(make(tmp_path / "root", server.base_url, "ray"), monkeypatch)
    finally:
        over.set()
        looking.join()
    assert found == local
    assert not told
    assert sum("RowWorker" in command for command in seen.values()) >= 2, seen
    last = list(read_log(log_path("ground")))[-1]
    assert last["state"] == "done" and last["done"] == last["total"] > 50 and last["calls"] > 50
    assert os.environ["RAY_TEST_KEY"] == KEY


def test_a_cluster_of_two_nodes_gives_the_local_tables_although_a_worker_is_killed(
    server: FakeOpenAI, local: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stages.engine.cluster import import_ray

    import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=2)
        killed: list[int] = []
        over = threading.Event()

        def kill() -> None:
            answered = server.answered
            while not over.wait(0.05) and not killed:
                workers = [pid for pid in ray_processes() if "RowWorker" in command_of(pid)]
                if workers and server.answered > answered + 60:
                    os.kill(workers[0], signal.SIGKILL)
                    killed.append(workers[0])

        killing = threading.Thread(target=kill)
        killing.start()
        try:
            root = make(tmp_path / "root", server.base_url, "ray", f"  ray_address: {cluster.address}\n")
            assert run(root, monkeypatch) == local
        finally:
            over.set()
            killing.join()
        assert killed
    finally:
        cluster.shutdown()


def test_a_spent_budget_ends_the_stage_with_the_message_of_the_local_run(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    for engine in ("local", "ray"):
        root = make(tmp_path / engine, server.base_url, engine, "  budget: {tokens: 5000}\n")
        monkeypatch.chdir(root)
        monkeypatch.setenv("RAY_TEST_KEY", KEY)
        with pytest.raises(LLMError, match=r"of 5000 tokens of the budget are spent") as raised:
            run_ground(Stage("ground"))
        said.append(str(raised.value).split("of 5000")[1])
    assert said[0] == said[1]


def test_a_client_that_is_killed_ends_the_stage_with_one_message_and_without_its_rows(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = make(tmp_path / "root", server.base_url, "ray")
    monkeypatch.chdir(root)
    monkeypatch.setenv("RAY_TEST_KEY", KEY)
    over, calls = threading.Event(), server.answered

    def kill() -> None:
        while not over.wait(0.05):
            clients = [pid for pid in ray_processes() if "ClientActor" in command_of(pid)]
            if clients and server.answered > calls + 30:
                os.kill(clients[0], signal.SIGKILL)
                return

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        with pytest.raises(LLMError, match=r"(?s)process of the Ray run.* Remedy: Every finished call is kept") as raised:
            run_ground(Stage("ground"))
    finally:
        over.set()
        killing.join()
    message, printed = str(raised.value), "".join(capfd.readouterr())
    row = read_table(root / "data/tasks/rows.parquet", InstructionRow)[0]
    assert len(message) < 400 and "Traceback" not in message + printed and "never retrieved" not in printed
    assert row.instruction[:40] not in message + printed and KEY not in message + printed


def test_what_cannot_be_sent_to_another_process_is_named(
    server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "root", server.base_url, "ray")
    monkeypatch.chdir(root)
    monkeypatch.setenv("RAY_TEST_KEY", KEY)
    connection = sqlite3.connect(":memory:")  # as the store of web pages has one
    monkeypatch.setattr("stages.ground.run.group_by_entity", lambda passages: {"": connection})
    with pytest.raises(ParamsError, match=r"(?s)lives in one process only.*web search.*local"):
        run_ground(Stage("ground"))


def test_an_interrupted_stage_leaves_no_process(server: FakeOpenAI, tmp_path: Path) -> None:
    root = make(tmp_path / "root", server.base_url, "ray")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RAY_TEST_KEY": KEY}
    command = [sys.executable, "-m", "stages.ground"]
    calls = server.answered
    with subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as stage:
        deadline = time.monotonic() + 120
        while server.answered < calls + 20 and stage.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        stage.send_signal(signal.SIGINT)
        said = stage.communicate(timeout=60)[1]
    assert stage.returncode == 1 and "finished work is kept" in said, said
    assert "Traceback" not in said, said
