"""Registration, promotion and rollback against a live MLflow server with an artifact store of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.register.evidence import read_evidence
from stages.register.promote import promote
from stages.register.rollback import rollback
from stages.register.store import open_store
from stages.register.tracking import aliases, read_version
from tests.register.made import BETTER, GOOD, WORSE, add_version, make_root

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--artifacts-destination", str(folder / "artifacts")]  # fmt: skip
    with open(folder / "log", "w") as log:
        running = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}/health", running, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(running.pid, 15)
        running.wait(timeout=30)


def _wait(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert running.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.fixture
def root(tmp_path: Path, server: str) -> Path:
    return make_root(tmp_path / "workspace", server)


def test_registered_twice_promoted_refused_and_rolled_back_on_a_server(root: Path, server: str, tmp_path: Path) -> None:
    first = add_version(root, "a1", GOOD)
    assert add_version(root, "a1", GOOD) == first
    promote(root)
    better = add_version(root, "b2", BETTER)
    promote(root)
    elsewhere = make_root(tmp_path / "elsewhere", server)  # another machine: no file of the first workspace is there
    worse = add_version(elsewhere, "c3", WORSE)
    with pytest.raises(InputError, match=r"-25\.0 points"):
        promote(elsewhere)
    store = open_store(elsewhere)
    assert len(read_evidence(store.client, read_version(store.client, "secforge", first)).answers["base"]) == 1
    began = time.monotonic()
    rollback(elsewhere)
    assert time.monotonic() - began < 15
    assert aliases(store.client, "secforge") == {"candidate": worse, "champion": first, "previous": better}


def test_two_promotions_at_once_from_two_machines_give_one_champion_or_say_so(root: Path, server: str, tmp_path: Path) -> None:
    """Each workspace has its own lock, so only the server tells them apart."""
    first, second = add_version(root, "d4", BETTER), add_version(root, "e5", BETTER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    running = []
    for number, version in enumerate((first, second)):
        folder = make_root(tmp_path / f"machine{number}", server)
        command = [sys.executable, "-m", "stages.register", "promote", "--version", version]
        running.append(
            subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    said = [(one.communicate(), one.returncode) for one in running]
    store = open_store(root)
    champion = aliases(store.client, "secforge")["champion"]
    won = [version for version, (_, code) in zip((first, second), said, strict=True) if code == 0]
    for (_, error), code in said:
        assert code == 0 or "another promotion of `secforge`" in error, error
    logs = [tmp_path / f"machine{number}" / "metrics" / "promotions.jsonl" for number in range(2)]
    assert [path.exists() for path in logs] == [code == 0 for _, code in said]
    assert champion in won if won else champion not in (first, second)
    if len(won) == 2:  # one after the other: the second was compared with the first
        assert aliases(store.client, "secforge")["previous"] in won
