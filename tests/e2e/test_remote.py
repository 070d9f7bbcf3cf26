"""README, "A remote for the data": push, fresh clone, pull, a build that runs nothing; a folder and S3; conflicts and clean-up."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.toy_repository import ToyRepository, ran

pytestmark = pytest.mark.slow
BUCKET = "toy-bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "toy-key", "AWS_SECRET_ACCESS_KEY": "toy-secret-3f1c", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def work(built: ToyRepository, tmp_path: Path) -> ToyRepository:
    """A clone that has the outputs of the build, out of the first one's cache."""
    clone = built.clone(tmp_path / "work")
    clone.dvc("cache", "dir", "--local", str(built.root / ".dvc" / "cache"))
    clone.dvc("checkout")
    return clone


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server that has one empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


def pushed_and_pulled(work: ToyRepository, root: Path) -> ToyRepository:
    """The remote is committed and filled; a fresh clone pulls."""
    work.commit("a remote for the data")
    work.dvc("push")
    fresh = work.clone(root)
    assert not [*fresh.root.rglob("*.parquet"), *fresh.root.rglob("*.safetensors")]
    fresh.dvc("pull")
    return fresh


def assert_whole(fresh: ToyRepository, built: ToyRepository) -> None:
    """Everything is there, nothing is run, the scores are those of the build."""
    done = fresh.dvc("repro")
    assert ran(done) == [] and "up to date" in done.stdout
    assert fresh.git("status", "--porcelain") == ""
    for path in ("data/validate/train.parquet", "models/finetune/merged/model.safetensors", "data/evaluate/predictions.parquet"):
        assert (fresh.root / path).read_bytes() == (built.root / path).read_bytes()
    assert fresh.json("metrics/evaluate.json") == built.json("metrics/evaluate.json")


def test_a_folder_as_remote(work: ToyRepository, built: ToyRepository, tmp_path: Path) -> None:
    work.dvc("remote", "add", "-d", "storage", str(tmp_path / "remote"))
    assert_whole(pushed_and_pulled(work, tmp_path / "fresh"), built)


def test_s3_as_remote(work: ToyRepository, built: ToyRepository, s3: str, tmp_path: Path) -> None:
    work.environment |= KEYS
    work.dvc("remote", "add", "-d", "storage", f"s3://{BUCKET}/secforge")
    work.dvc("remote", "modify", "storage", "endpointurl", s3)
    fresh = pushed_and_pulled(work, tmp_path / "fresh")
    assert_whole(fresh, built)
    written = [path.read_text(encoding="utf-8") for path in (fresh.root / ".dvc").glob("config*")]
    assert written and not [text for text in written if KEYS["AWS_SECRET_ACCESS_KEY"] in text]


def test_a_conflict_in_the_lock_is_settled_by_a_build(work: ToyRepository) -> None:
    start = work.git("rev-parse", "HEAD").strip()
    for branch, change in (("other", {"label": {"rows": 4}}), ("mine", {"report": {"examples": 2}})):
        work.git("checkout", "-q", "-b", branch, start)
        work.dvc("checkout")
        work.change_params(change)
        work.dvc("repro")
        work.commit(branch)
    with pytest.raises(subprocess.CalledProcessError):
        work.git("merge", "other")
    both = work.git("diff", "--name-only", "--diff-filter=U").split()
    assert "dvc.lock" in both and all(path == "dvc.lock" or path.startswith("metrics/") for path in both)
    work.git("checkout", "--ours", "dvc.lock", "metrics")
    done = work.dvc("repro")
    assert "Stage 'label' is cached" in done.stdout and ran(done) == ["report"]
    work.commit("merged")
    assert "up to date" in work.dvc("status").stdout


def test_cleaning_the_cache_takes_what_the_workspace_does_not_need(work: ToyRepository, tmp_path: Path) -> None:
    work.dvc("config", "--local", "cache.dir", str(tmp_path / "cache"))
    work.dvc("commit", "-f")
    (work.root / "old.txt").write_text("an output of yesterday", encoding="utf-8")
    work.dvc("add", "old.txt")
    kept = [path for path in (tmp_path / "cache" / "files").rglob("*") if path.is_file()]
    [old] = [path for path in kept if path.read_bytes() == b"an output of yesterday"]
    (work.root / "old.txt.dvc").unlink()
    answers = work.root / ".dvc" / "secforge" / "answers.sqlite"
    answers.parent.mkdir(exist_ok=True)
    answers.write_text("paid answers of a model", encoding="utf-8")
    work.dvc("gc", "-w", "-f")
    assert not old.exists() and answers.exists()
    (work.root / "data" / "validate" / "train.parquet").unlink()
    work.dvc("checkout")
    assert ran(work.dvc("repro")) == []
