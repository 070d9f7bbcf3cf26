from pathlib import Path

import msgspec
import pytest

from stages.errors import FetchError, InputError
from stages.public_benchmarks import score
from stages.public_benchmarks.declarations import find_benchmark
from stages.public_benchmarks.files import as_declared, benchmark_file, shots_file
from stages.runtime import RuntimeParams
from stages.tables import file_sha256
from tests.public_benchmarks.made import write_mcq

MCQ = find_benchmark("cti-mcq")


def test_a_file_of_the_mirror_must_have_the_declared_hash(tmp_path: Path) -> None:
    runtime = RuntimeParams(mirror=str(tmp_path), offline=True)
    file = tmp_path / MCQ.mirror
    file.parent.mkdir(parents=True)
    declared = msgspec.structs.replace(MCQ, sha256=file_sha256(write_mcq(file)))
    assert benchmark_file(declared, None, runtime) == file and as_declared(file, declared)
    with pytest.raises(FetchError, match=MCQ.sha256):
        benchmark_file(MCQ, None, runtime)
    assert benchmark_file(MCQ, file, runtime) == file and as_declared(file, MCQ) is False  # a given file is taken as it is


def test_what_is_not_there_is_named_with_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runtime = RuntimeParams(mirror=str(tmp_path), offline=True)
    with pytest.raises(InputError, match=r"gone.tsv[\s\S]*huggingface"):
        benchmark_file(MCQ, tmp_path / "gone.tsv", runtime)
    with pytest.raises(InputError, match=r"hash[\s\S]*--benchmark-file"):
        benchmark_file(find_benchmark("cybermetric-10000"), None, runtime)
    with pytest.raises(InputError, match="dvc repro benchmarks"):
        benchmark_file(find_benchmark("secforge-mcq"), None, runtime)
    with pytest.raises(FetchError, match="mirror"):
        benchmark_file(find_benchmark("seceval"), None, runtime)  # its address serves other bytes


def test_examples_come_from_the_declared_file_or_the_given_one(tmp_path: Path) -> None:
    runtime = RuntimeParams(mirror=str(tmp_path), offline=True)
    assert shots_file(MCQ, None, runtime) is None
    assert shots_file(MCQ, tmp_path / "x.tsv", runtime) == tmp_path / "x.tsv"
    with pytest.raises(FetchError, match="computer_security_dev"):
        shots_file(find_benchmark("mmlu"), None, runtime)


def test_a_mirror_beside_the_repository_is_taken_where_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(score, "NEIGHBOUR", tmp_path)
    monkeypatch.delenv("SECFORGE_MIRROR", raising=False)
    assert score.runtime_here().mirror == str(tmp_path)
    monkeypatch.setenv("SECFORGE_MIRROR", "/elsewhere")
    assert score.runtime_here().mirror == ""  # the variable is read where files are fetched
