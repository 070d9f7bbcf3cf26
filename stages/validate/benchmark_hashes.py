"""Public benchmarks known by hashes of their word n-grams, so that a build that has none of them is decontaminated too.

`python -m stages.validate.benchmark_hashes --benchmarks FOLDER` makes `benchmark_grams.bin` again. It holds no text: of every
n-gram that decontamination compares (`benchmark_index`) the upper 48 bits of its hash.

- Surely found: any run of 13 words of an item's own (8 of an item under 13 words) that is no common language, as with the
  benchmarks at hand. Items under 8 words are not searchable.
- A row's n-gram is taken for one of them by chance with probability (number of hashes) / 2**48, about 8e-10: one row in
  five data sets of a million rows.
"""

import argparse
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from stages.errors import InputError, SecForgeError
from stages.tables import file_sha256
from stages.validate.benchmark_index import build_index
from stages.validate.foreign import read_items
from stages.validate.ngrams import Hashes
from stages.validate.params import DecontaminationParams

GRAMS = Path(__file__).with_name("benchmark_grams.bin")
BITS = 48
FILES = {
    "cti-mcq": "cti-mcq.tsv",
    "cti-rcm": "cti-rcm.tsv",
    "cti-rcm-2021": "cti-rcm-2021.tsv",
    "cti-vsp": "cti-vsp.tsv",
    "cti-ate": "cti-ate.tsv",
    "cti-taa": "cti-taa.tsv",
    "seceval": "seceval/questions.json",
    "cybermetric-80": "CyberMetric-80-v1.json",
    "cybermetric-500": "CyberMetric-500-v1.json",
    "mmlu-computer-security": "computer_security_test.csv",
}


class Known(msgspec.Struct, frozen=True):
    """A benchmark as the head of the file names it."""

    name: str
    items: int
    unsearchable: int  # items of fewer words of their own than the shortest n-gram here, or of common language only
    sha256: str  # of the file that the hashes were made from


class HashedGrams(msgspec.Struct, frozen=True):
    """Sorted hashes of n words; bit b of `holders` says that benchmark b has the n-gram."""

    n: int
    hashes: Hashes  # the upper BITS bits, moved down
    holders: npt.NDArray[np.uint16]


class HashedBenchmarks(msgspec.Struct, frozen=True):
    """The whole file."""

    benchmarks: list[Known]
    tables: list[HashedGrams]


class _Head(msgspec.Struct):
    about: str
    bits: int
    tables: list[tuple[int, int]]  # n, number of hashes
    benchmarks: list[Known]


def shortened(hashes: Hashes) -> Hashes:
    """The part of 64-bit hashes that is kept."""
    return hashes >> np.uint64(64 - BITS)


def hash_benchmarks(folder: Path, params: DecontaminationParams) -> HashedBenchmarks:
    """Hashes of every benchmark of FILES under `folder`. Raises InputError if one is missing."""
    benchmarks: list[Known] = []
    found: dict[int, list[tuple[Hashes, int]]] = {params.ngram: [], params.short_ngram: []}
    for number, (name, file) in enumerate(FILES.items()):
        path = _find(folder, file)
        items = read_items(path)
        tables = [table for table in build_index(items, params).tables if table.n in found]
        searchable = {item for table in tables for item in table.items.tolist()}
        benchmarks.append(Known(name, len(items), len(items) - len(searchable), file_sha256(path)))
        for table in tables:
            found[table.n].append((np.unique(shortened(table.hashes)), number))
    return HashedBenchmarks(benchmarks, [_united(n, parts) for n, parts in found.items()])


def write_hashes(path: Path, known: HashedBenchmarks) -> int:
    """Write the file and return its size: a head of one JSON line, then zlib of gaps and holders as planes of bytes."""
    head = _Head(
        about="Hashes of word n-grams of public benchmarks: stages/validate/benchmark_hashes.py says how and what for.",
        bits=BITS,
        tables=[(table.n, len(table.hashes)) for table in known.tables],
        benchmarks=known.benchmarks,
    )
    body = b"".join(_packed(np.diff(table.hashes, prepend=np.uint64(0))) + table.holders.tobytes() for table in known.tables)
    content = msgspec.json.encode(head) + b"\n" + zlib.compress(body, 9)
    path.write_bytes(content)
    return len(content)


def load_hashes(path: Path = GRAMS) -> HashedBenchmarks:
    """The shipped hashes. Raises InputError if the file is missing or damaged: without it nothing would be found."""
    try:
        line, _, packed = path.read_bytes().partition(b"\n")
        head = msgspec.json.decode(line, type=_Head)
        body = zlib.decompress(packed)
        if head.bits != BITS or len(body) != sum(count for _, count in head.tables) * (BITS // 8 + 2):
            raise ValueError("its size is not what its head says")
    except (OSError, ValueError, msgspec.DecodeError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy=f"`git checkout {path.name}` brings it back.") from error
    tables, start = [], 0
    for n, count in head.tables:
        middle, end = start + count * (BITS // 8), start + count * (BITS // 8 + 2)
        holders = np.frombuffer(body[middle:end], np.dtype("<u2")).astype(np.uint16)
        tables.append(HashedGrams(n, np.cumsum(_unpacked(body[start:middle], count), dtype=np.uint64), holders))
        start = end
    return HashedBenchmarks(head.benchmarks, tables)


def _united(n: int, parts: Sequence[tuple[Hashes, int]]) -> HashedGrams:
    hashes = np.concatenate([own for own, _ in parts]) if parts else np.empty(0, np.uint64)
    holders = (
        np.concatenate([np.full(len(own), 1 << number, np.uint16) for own, number in parts]) if parts else np.empty(0, np.uint16)
    )
    distinct, places = np.unique(hashes, return_inverse=True)
    united = np.zeros(len(distinct), np.uint16)
    np.bitwise_or.at(united, places, holders)
    return HashedGrams(n, distinct, united)


def _packed(values: Hashes) -> bytes:
    """BITS // 8 bytes of each value, the first bytes of all first: those of small gaps are zeros."""
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - BITS // 8 :].T.tobytes()


def _unpacked(content: bytes, count: int) -> Hashes:
    planes = np.zeros((count, 8), np.uint8)
    planes[:, 8 - BITS // 8 :] = np.frombuffer(content, np.uint8).reshape(BITS // 8, count).T
    return planes.reshape(-1).view(">u8").astype(np.uint64)


def _find(folder: Path, name: str) -> Path:
    matches = sorted(path for path in folder.rglob(Path(name).name) if path.as_posix().endswith(f"/{name}"))
    if not matches:
        raise InputError(
            f"{folder} holds no {name}.", allowed=", ".join(FILES.values()), remedy="Download it, or name another folder."
        )
    return matches[0]


def main(arguments: Sequence[str]) -> None:
    """Entry of the command."""
    parser = argparse.ArgumentParser(prog="python -m stages.validate.benchmark_hashes", description=__doc__.split("\n\n")[0])
    parser.add_argument("--benchmarks", type=Path, required=True, metavar="FOLDER", help="holds the files of all benchmarks")
    parser.add_argument("--out", type=Path, default=GRAMS, metavar="FILE", help="default: the file that validate reads")
    options = parser.parse_args(arguments)
    try:
        known = hash_benchmarks(options.benchmarks, DecontaminationParams())
    except SecForgeError as error:
        sys.exit(f"[validate] {error}")
    size = write_hashes(options.out, known)
    counts = ", ".join(f"{len(table.hashes):,} of {table.n} words" for table in known.tables)
    print(f"[validate] {options.out}: {size:,} bytes, hashes: {counts}")


if __name__ == "__main__":
    main(sys.argv[1:])
