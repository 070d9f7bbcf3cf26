"""The hash file: made from benchmark files, refused when damaged, and the shipped one is that of the published files."""

from pathlib import Path

import pytest

from stages.errors import InputError
from stages.ingest.benchmark_cves import DIGITS, HASHES, cves_in, hash_file, hash_of, load_hashes, main


def folder_of(tmp_path: Path, **more: str) -> Path:
    folder = tmp_path / "cti-bench"
    folder.mkdir()
    for number, name in enumerate(("cti-rcm", "cti-rcm-2021", "cti-vsp")):
        row = more.get(name, f"https://toy.invalid/CVE-2031-100{number}\tA flaw like cve-2031-2000 in a parser.\tCWE-79")
        (folder / f"{name}.tsv").write_text(f"URL\tDescription\tGT\n{row}\n")
    return tmp_path


def test_ids_of_every_column_and_spelling() -> None:
    assert cves_in("see CVE-2031-1000, cve 2031 1001, Cve\u20112031\u20111002 and CVE-2031-12") == {
        "CVE-2031-1000",
        "CVE-2031-1001",
        "CVE-2031-1002",
    }


def test_the_made_file_holds_hashes_and_no_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "hashes.txt"
    main(["--benchmarks", str(folder_of(tmp_path)), "--out", str(out)])
    assert load_hashes(out) == {hash_of(f"CVE-2031-{number}") for number in (1000, 1001, 1002, 2000)}
    assert not cves_in(out.read_text()) and "4 different ids" in out.read_text() and "4 hashes" in capsys.readouterr().out


def test_a_folder_without_the_benchmark_and_a_file_without_ids(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no cti-rcm\.tsv"):
        hash_file(tmp_path)
    with pytest.raises(InputError, match=r"cti-vsp\.tsv names no CVE"):
        hash_file(folder_of(tmp_path, **{"cti-vsp": "nothing"}))
    with pytest.raises(SystemExit, match=r"holds no cti-rcm\.tsv"):
        main(["--benchmarks", str(tmp_path / "nowhere")])


@pytest.mark.parametrize("content", ["", "# only a comment\n", "0123\n", "CVE-2031-1000\n", "\u00e4\n"])
def test_a_damaged_hash_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "hashes.txt"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="git checkout"):
        load_hashes(file)
    with pytest.raises(InputError, match="cannot be read"):
        load_hashes(tmp_path / "nowhere.txt")


def test_the_shipped_file_is_sorted_hashes_only() -> None:
    lines = [line for line in HASHES.read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(set(lines)) and {len(line) for line in lines} == {DIGITS} and len(lines) > 2000


@pytest.mark.mirror
def test_the_shipped_file_is_that_of_the_published_benchmarks(mirror: Path) -> None:
    assert hash_file(mirror / "benchmarks") == HASHES.read_text()
