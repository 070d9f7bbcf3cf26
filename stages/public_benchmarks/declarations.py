"""Benchmarks as data: one YAML file each under `stages/public_benchmarks/declared/`, checked when it is read.

A declaration names the publisher's file with its hash and licence, where question and key stand in it, how a model is
asked, how answers are read and scored, and what scoring blindly gives. The file itself is never part of this project.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from stages.config import Params
from stages.errors import InputError

FOLDER = Path(__file__).parent / "declared"
PROMPTS = FOLDER / "prompts"
SHORTEST_PART = 3  # letters of a name by which a benchmark is found

Extractor = Literal["letter", "letters", "cwe", "vector", "techniques", "actor", "refusal", "literal", "final-line"]
Metric = Literal["accuracy", "exact-set", "exact-vector", "macro-f1", "actor-accuracy", "refusal-rate", "injection-rate"]
Protocol = Literal["generative", "loglikelihood", "five-shot"]


class Columns(Params):
    """Where an item's parts stand in the publisher's file, by column or field name."""

    question: str
    answer: str = ""  # the key; empty: there is none to find (the metric needs none)
    options: list[str] = []  # one column for each option, or one column that holds them all
    prompt: str = ""  # the publisher's own prompt; empty: `prompt` of the declaration makes one
    system: str = ""  # what stands before the user's turn
    id: str = ""  # empty: an item's id is its place in the file, from 1


class Published(Params):
    """A figure that somebody else gave, in percent (CTI-VSP: mean absolute deviation)."""

    system: str
    score: float
    source: str
    protocol: str = ""  # as far as the source states it


class Graph(Params):
    """The alias and related graphs that actor names are compared through."""

    mirror: str
    sha256: str
    url: str  # what the file was made from


class Declaration(Params):
    """One benchmark. Percentages are 0-100."""

    name: str
    title: str
    version: str
    licence: str
    terms: str  # what may be done with the file
    url: str
    split: str
    items: int
    extractor: Extractor
    metric: Metric
    columns: Columns
    sha256: str = ""  # of the publisher's file; empty: nobody here has seen it, so it is read from --benchmark-file only
    mirror: str = ""  # path in a mirror folder
    direct: bool = True  # the address serves exactly these bytes; else only a mirror folder has them
    local: str = ""  # a file that this build made
    header: list[str] = []  # column names of a file without a header line
    only: dict[str, str] = {}  # column -> value of the rows that belong to this benchmark
    direction: Literal["higher", "lower"] = "higher"
    chance: float = 0.0  # of a guess, or of the system that says nothing
    protocols: list[Protocol] = msgspec.field(default_factory=lambda: ["generative"])  # the first is the default
    shots_file: str = ""  # path in a mirror folder of the examples of `five-shot`; empty: five items of the file, then not asked
    shots_sha256: str = ""
    prompt: str = ""  # a template under declared/prompts
    max_new_tokens: int = 512
    refusal_marks: list[str] = []  # what published response files hold in place of a refusal
    graph: Graph | None = None
    aliases: list[str] = []
    published: list[Published] = []
    notes: list[str] = []


def load_benchmarks(folder: Path = FOLDER) -> dict[str, Declaration]:
    """All declarations by name, sorted. Raises InputError naming the file that is wrong."""
    found = [read_declaration(path) for path in sorted(folder.glob("*.yaml"))]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def read_declaration(path: Path) -> Declaration:
    """One declaration; its name is the file's. Raises InputError."""
    from ruamel.yaml import YAML, YAMLError

    try:
        declaration = msgspec.convert(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")), Declaration)
    except (OSError, UnicodeDecodeError, YAMLError, msgspec.ValidationError) as error:
        raise InputError(f"{path}: {error}", remedy="Mend the declaration (stages.public_benchmarks.declarations).") from error
    if declaration.name != path.stem:
        raise InputError(f"{path} declares the benchmark {declaration.name!r}.", remedy="Name the file like the benchmark.")
    return declaration


def find_benchmark(name: str, folder: Path = FOLDER) -> Declaration:
    """The benchmark that a name can only mean: in any case, with any or no separators, with or without `bench` (`CTI-Bench MCQ`).

    The name or alias may be whole or a part that no other benchmark has. Raises InputError that lists what it may mean, or all.
    """
    known = load_benchmarks(folder)
    spelled = {_spelling(one): declared for declared in known.values() for one in (*declared.aliases, declared.name)}
    wanted = _spelling(name)
    found = {spelled[wanted].name} if wanted in spelled else _holding(wanted, spelled)
    if len(found) != 1:
        raise InputError(
            f"{name!r} may be several benchmarks." if found else f"There is no benchmark {name!r}.",
            allowed=", ".join(sorted(found) or known),
            remedy=f"Take one of these names, or write a declaration into {FOLDER}.",
        )
    return known[found.pop()]


def _spelling(name: str) -> str:
    """Small letters and digits; `bench`, and what stands twice after it (`cti-bench/cti-mcq`), left out."""
    words = re.findall(r"[a-z]+|[0-9]+", re.sub(r"bench(?:mark)?s?", " ", name.casefold()))
    return "".join(dict.fromkeys(words))


def _holding(part: str, spelled: Mapping[str, Declaration]) -> set[str]:
    return {declared.name for spelling, declared in spelled.items() if part in spelling} if len(part) >= SHORTEST_PART else set()
