"""The command: quick help, one address on the loopback interface, and a message for everything that is missing."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.review.web.process import COMMAND, ROOT, Process, environment, write_checkout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a build; the model behind it is never asked."""
    folder = tmp_path_factory.mktemp("checkout")
    write_checkout(folder, "http://127.0.0.1:9/v1")
    return folder


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, env=environment(), check=False
    )


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, runpy; sys.argv = ['review', '--help']\ntry: runpy.run_module('stages.review', run_name='__main__')\n"
    code += "except SystemExit: print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "--reviewer" in done.stdout
    assert not loaded & {"starlette", "uvicorn", "jinja2", "pyarrow", "msgspec", "torch", "openai", "aiohttp"}


def test_it_serves_on_this_machine_only_and_logs_no_token(checkout: Path) -> None:
    with Process(checkout) as process:
        port = int(process.base.rpartition(":")[2])
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(process.address, timeout=10) as answer:
            assert answer.url == f"{process.base}/" and b"Reviewer: Ada" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{process.base}/?token=guess", timeout=10)
        listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"]
        assert [where for where in listening if where.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
        said = process.stop(signal.SIGINT)
    assert said.count(process.token) == 1 and "guess" not in said
    assert "everything is kept" in said.splitlines()[-1] and "Traceback" not in said
    assert process.running.returncode == 0


def test_the_first_page_is_quick(checkout: Path) -> None:
    begun = time.monotonic()
    with Process(checkout) as process:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.open(process.address, timeout=10).read()
        assert time.monotonic() - begun < 10  # 1.5 s on two idle cores


def test_a_port_that_is_taken(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run(checkout, "--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot be had" in done.stderr and "Remedy: Leave out --port" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none(checkout: Path, port: str) -> None:
    done = run(checkout, f"--port={port}")
    assert done.returncode == 1 and "cannot be had" in done.stderr and "Traceback" not in done.stderr


def test_nobody_to_sign(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "stages").symlink_to(checkout / "stages")
    done = run(tmp_path)
    assert done.returncode == 1 and "git config user.name" in done.stderr and "Traceback" not in done.stderr


def test_no_build(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "stages").symlink_to(checkout / "stages")
    done = run(tmp_path, "--reviewer", "Ada")
    assert done.returncode == 1
    assert "rows.parquet" in done.stderr and "dvc repro benchmarks encoder" in done.stderr and "Traceback" not in done.stderr
    assert "token" not in done.stdout
