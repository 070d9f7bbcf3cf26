"""Which CVEs stand in public benchmarks, known by hash: the project ships no line of a benchmark.

`python -m stages.ingest.benchmark_cves --benchmarks FOLDER` makes `benchmark_cves.txt` again from the files of
CTI-Bench. The hashes keep the list short and free of the benchmarks' content; they hide nothing, since CVE ids can be counted
through. 64 bits: among a million ids another one is taken for one of 2,000 with probability 1e-10.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from stages.errors import InputError, SecForgeError
from stages.tables import file_sha256, write_text

HASHES = Path(__file__).with_name("benchmark_cves.txt")
FILES = ("cti-rcm.tsv", "cti-rcm-2021.tsv", "cti-vsp.tsv")
DIGITS = 16
_CVE = re.compile("[Cc][Vv][Ee][-_\u2010-\u2015 ]?([0-9]{4})[-_\u2010-\u2015 ]([0-9]{4,7})(?![0-9])")  # as typesetting hyphenates


def cves_in(text: str) -> set[str]:
    """CVE ids named in `text`, in one spelling."""
    return {f"CVE-{year}-{number}" for year, number in _CVE.findall(text)}


@lru_cache(maxsize=1 << 18)  # the ids of all sources: each is asked for several times
def hash_of(cve: str) -> str:
    """The shipped hash of an id in upper case."""
    return hashlib.sha256(cve.encode()).hexdigest()[:DIGITS]


def load_hashes(path: Path = HASHES) -> frozenset[str]:
    """The shipped hashes. Raises InputError if the file is missing or damaged: without it nothing would be removed."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy=f"`git checkout {path.name}` brings it back.") from error
    hashes = frozenset(line for line in lines if line and not line.startswith("#"))
    broken = sorted(line for line in hashes if not re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", line))
    if broken or not hashes:
        raise InputError(
            f"{path} holds {f'the line `{broken[0][:40]}`' if broken else 'no hash'}.",
            allowed=f"{DIGITS} hexadecimal digits a line, or a comment after #",
            remedy=f"`git checkout {path.name}` brings it back.",
        )
    return hashes


def hash_file(folder: Path, files: Iterable[str] = FILES) -> str:
    """The text of the hash file for all ids in `files`, in whatever column: URL, description or prompt."""
    found: set[str] = set()
    head = [
        "# Truncated SHA-256 of the CVE ids in CTI-Bench (arXiv 2406.07599); what names one is not read (stages/ingest/hygiene.py).",
        f"# Made by `python -m stages.ingest.benchmark_cves --benchmarks FOLDER`: first {DIGITS} hex digits of SHA-256(CVE id).",
    ]
    for name in files:
        path = _find(folder, name)
        ids = cves_in(path.read_text(encoding="utf-8", errors="replace"))
        if not ids:
            raise InputError(f"{path} names no CVE.", remedy="Name the folder with the files of CTI-Bench.")
        found |= ids
        head.append(f"# {name}: {len(ids):,} ids, of the file with sha256 {file_sha256(path)}")
    head.append(f"# {len(found):,} different ids")
    return "\n".join([*head, *sorted(map(hash_of, found))]) + "\n"


def _find(folder: Path, name: str) -> Path:
    matches = sorted(folder.rglob(name))
    if not matches:
        raise InputError(
            f"{folder} holds no {name}.", allowed=", ".join(FILES), remedy="Download CTI-Bench, or name another folder."
        )
    return matches[0]


def main(arguments: Sequence[str]) -> None:
    """Entry of the command."""
    parser = argparse.ArgumentParser(prog="python -m stages.ingest.benchmark_cves", description=__doc__.split("\n\n")[0])
    parser.add_argument("--benchmarks", type=Path, required=True, metavar="FOLDER", help="holds the files of CTI-Bench")
    parser.add_argument("--out", type=Path, default=HASHES, metavar="FILE", help="default: the file that ingest reads")
    options = parser.parse_args(arguments)
    try:
        text = hash_file(options.benchmarks)
    except SecForgeError as error:
        sys.exit(f"[ingest] {error}")
    write_text(options.out, text)
    print(f"[ingest] {options.out}: {len(text.splitlines()) - text.count('#'):,} hashes")


if __name__ == "__main__":
    main(sys.argv[1:])
