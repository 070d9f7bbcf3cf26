"""The shipped hashes: made from benchmark files, equal after a round trip, refused when damaged, found in rows."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from stages.errors import InputError
from stages.validate import benchmark_hashes
from stages.validate.benchmark_hashes import (
    FILES,
    GRAMS,
    HashedBenchmarks,
    hash_benchmarks,
    load_hashes,
    main,
    write_hashes,
)
from stages.validate.decontaminate import Document
from stages.validate.foreign import read_items
from stages.validate.hashed import find_hashed, hashed_findings
from stages.validate.params import DecontaminationParams
from tests.validate.samples import sentence

PARAMS = DecontaminationParams()
LENGTHS = (40, 13, 9, 25, 30)


def question(seed: int, words: int) -> str:
    """Words that no other text of this file shares."""
    return " ".join(f"w{random.Random(seed * 1000 + place).randrange(10**9)}" for place in range(words))


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HashedBenchmarks:
    monkeypatch.setattr(benchmark_hashes, "FILES", {"one": "one.json", "two": "two.json"})
    texts = [question(seed, words) for seed, words in enumerate(LENGTHS)] + ["too short"]
    (tmp_path / "one.json").write_text(json.dumps([{"question": text} for text in texts]))
    (tmp_path / "two.json").write_text(json.dumps([{"question": text} for text in texts[3:4]]))
    return hash_benchmarks(tmp_path, PARAMS)


def rows(*texts: str, subject: str = "") -> list[Document]:
    return [Document(id=f"row{i}", subject=subject or f"s{i}", texts={"instruction": [text]}) for i, text in enumerate(texts)]


def test_a_round_trip_and_what_the_head_says(known: HashedBenchmarks, tmp_path: Path) -> None:
    file = tmp_path / "grams.bin"
    assert write_hashes(file, known) == file.stat().st_size
    again = load_hashes(file)
    assert again.benchmarks == known.benchmarks
    assert [(one.name, one.items, one.unsearchable) for one in again.benchmarks] == [("one", 6, 1), ("two", 1, 0)]
    for one, other in zip(known.tables, again.tables, strict=True):
        assert one.n == other.n and (one.hashes == other.hashes).all() and (one.holders == other.holders).all()
    head = file.read_bytes().split(b"\n")[0]
    assert not any(word.encode() in file.read_bytes() for word in question(0, 40).split()) and json.loads(head)["bits"] == 48


def test_every_run_of_thirteen_words_and_every_whole_item_is_found(known: HashedBenchmarks) -> None:
    long = question(0, 40).split()
    runs = [" ".join(long[start : start + 13]) for start in range(28)]
    whole = [question(seed, words).upper() for seed, words in enumerate(LENGTHS)]
    found = find_hashed(
        rows(*(f"Some words before. {text}, and some after." for text in runs + whole), subject="s"), known, PARAMS
    )
    assert {match.row for match in found} == {f"row{i}" for i in range(33)}
    assert {match.rule for match in found if match.row == "row30"} == {"hashed-8-gram"}
    assert {match.benchmark for match in found if match.row == "row31"} == {"one", "two"}
    findings = hashed_findings(known, found)
    assert (findings["one"].rows_dropped, findings["two"].rows_dropped) == (33, 1)
    assert findings["one"].by_rule == {"hashed-13-gram": 32, "hashed-8-gram": 1}
    assert all(match.evidence in " ".join([*runs, *whole]).lower() for match in found)


def test_other_words_and_shorter_runs_are_not(known: HashedBenchmarks) -> None:
    long = question(0, 40).split()
    texts = [sentence(seed, 200) for seed in range(50)] + [" ".join(long[start : start + 12]) for start in range(29)]
    assert find_hashed(rows(*texts), known, PARAMS) == []
    assert find_hashed([], known, PARAMS) == [] == find_hashed(rows("a text"), HashedBenchmarks([], []), PARAMS)


def test_what_many_subject_documents_say_is_common_language(known: HashedBenchmarks) -> None:
    text = question(0, 40)
    assert not find_hashed(rows(*[text] * PARAMS.boilerplate_documents), known, PARAMS)
    assert find_hashed(rows(*[text] * PARAMS.boilerplate_documents, subject="cve:1"), known, PARAMS)


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"not json\nxx", None])
def test_a_damaged_file_is_refused(known: HashedBenchmarks, tmp_path: Path, damage: bytes | None) -> None:
    file = tmp_path / "grams.bin"
    write_hashes(file, known)
    file.write_bytes(file.read_bytes()[:-9] if damage is None else damage)
    with pytest.raises(InputError, match="git checkout"):
        load_hashes(file)
    with pytest.raises(InputError, match="cannot be read"):
        load_hashes(tmp_path / "nowhere.bin")


def test_a_folder_without_a_benchmark_names_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds no cti-mcq\.tsv"):
        main(["--benchmarks", str(tmp_path), "--out", str(tmp_path / "out")])


def test_the_shipped_file_is_small_and_whole() -> None:
    shipped = load_hashes()
    assert [one.name for one in shipped.benchmarks] == list(FILES) and GRAMS.stat().st_size < 1_500_000
    assert all((np.diff(table.hashes.astype(np.int64)) > 0).all() and table.holders.all() for table in shipped.tables)


@pytest.mark.mirror
def test_planted_items_of_each_published_benchmark_are_found_and_own_rows_are_not(mirror: Path, tmp_path: Path) -> None:
    main(["--benchmarks", str(mirror / "benchmarks"), "--out", str(tmp_path / "grams.bin")])
    assert (tmp_path / "grams.bin").read_bytes() == GRAMS.read_bytes()
    shipped = load_hashes()
    for known, (name, file) in zip(shipped.benchmarks, FILES.items(), strict=True):
        items = read_items(next((mirror / "benchmarks").rglob(Path(file).name)))
        planted = rows(*(f"Read this with care. {item.text} What follows?" for item in items))
        found = {match.row for match in find_hashed(planted, shipped, PARAMS) if match.benchmark == name}
        assert len(items) == known.items and len(found) >= 0.97 * (known.items - known.unsearchable), name
    own = rows(*(sentence(seed, 300) for seed in range(3000)))
    assert find_hashed(own, shipped, PARAMS) == []
