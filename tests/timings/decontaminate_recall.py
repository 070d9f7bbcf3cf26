"""Recall of decontamination: leaks of each kind planted among 20,000 clean rows, for each format of benchmark file."""

import csv
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from stages.validate.benchmark_index import Item, build_index
from stages.validate.foreign import read_items
from stages.validate.decontaminate import Document, find_contamination
from stages.validate.params import DecontaminationParams

PROMPT = "You are given a question about security. Choose the right answer and return only one letter without any explanation."
_VOCABULARY = [f"{stem}{ending}" for stem in ("attack", "parse", "load", "sign", "trust", "route", "queue", "store", "field", "shell") for ending in ("er", "ing", "ed", "s", "able", "less", "ment", "ward", "ist", "ful")] + [f"term{number}" for number in range(4_000)]  # fmt: skip


class Recall(NamedTuple):
    """What was found of one kind of leak in one format."""

    planted: int
    found: int


def main(clean: int = 20_000, items: int = 200) -> None:
    """Print one line per format: recall by kind, and how many clean rows were dropped."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"decontaminate_recall: {items} items per format, each leaked once in each kind, among {clean:,} clean rows")
        print(f"{'format':<10}" + "".join(f"{kind:>13}" for kind in KINDS) + f"{'clean dropped':>15}")
        for name in FORMATS:
            found, dropped = recall(name, Path(folder), clean, items)
            shares = (f"{one.found / one.planted:.3f}" if one.planted else "no id" for one in found.values())
            print(f"{name:<10}" + "".join(f"{share:>13}" for share in shares) + f"{dropped:>9} of {clean:,}", flush=True)


def recall(name: str, folder: Path, clean: int, count: int) -> tuple[dict[str, Recall], int]:
    """(kind -> recall, clean rows dropped) for one format, read from a file of that format."""
    questions = [_text(random.Random(number), random.Random(number).randint(16, 60)) for number in range(count)]
    path = FORMATS[name](folder, questions)
    items = read_items(path)
    rows = {f"clean-{number}": _text(random.Random(f"clean {number}"), 90) for number in range(clean)}
    planted = {
        f"{kind}-{number}": text
        for kind, leak in KINDS.items()
        for number, question in enumerate(questions)
        if (text := leak(question, items[number], random.Random(number)))
    }
    documents = [Document(id=key, subject=key, texts={"instruction": [text]}) for key, text in (rows | planted).items()]
    params = DecontaminationParams(boilerplate_documents=len(KINDS) + 1)  # each item is planted once per kind on purpose
    matched = {match.row for match in find_contamination(documents, build_index(items, params), params).matches}
    found = {}
    for kind in KINDS:
        mine = [key for key in planted if key.rpartition("-")[0] == kind]
        found[kind] = Recall(len(mine), sum(key in matched for key in mine))
    return found, sum(key in matched for key in rows)


def _text(chance: random.Random, words: int) -> str:
    drawn = chance.choices(_VOCABULARY, k=words)
    return " ".join(f"{word}." if place % 12 == 11 else word for place, word in enumerate(drawn))


def _rewrapped(question: str, _: Item, chance: random.Random) -> str:
    return "".join(f"{word}{chance.choice([' ', chr(10), '  ', ' - ', ', '])}" for word in question.split())


def _truncated(question: str, _: Item, __: random.Random) -> str:
    """The first 60 %; of an item under 22 words fewer than 13 are left, which the rule of 13 words cannot see."""
    words = question.split()
    return f"{_text(random.Random(question), 12)} {' '.join(words[: round(0.6 * len(words))])}"


def _only_id(question: str, item: Item, _: random.Random) -> str:
    return f"Consider {next(iter(item.identifiers))} and say what follows." if item.identifiers else ""


def _paraphrased(question: str, _: Item, chance: random.Random) -> str:
    """Every fourth word replaced, and neighbours swapped here and there: no long run of words is left."""
    words = [chance.choice(_VOCABULARY) if place % 4 == 3 else word for place, word in enumerate(question.split())]
    for place in range(0, len(words) - 1, 7):
        words[place], words[place + 1] = words[place + 1], words[place]
    return " ".join(words)


KINDS: dict[str, Callable[[str, Item, random.Random], str]] = {
    "verbatim": lambda question, *_: question,
    "re-cased": lambda question, *_: question.upper(),
    "re-wrapped": _rewrapped,
    "prefixed": lambda question, _, chance: f"{_text(chance, 25)} Question: {question} Think first.",
    "truncated": _truncated,
    "id-only": _only_id,
    "paraphrased": _paraphrased,
}


def _separated(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _mcq(folder: Path, questions: list[str]) -> Path:
    options = {f"Option {letter}": f"choice {letter}" for letter in "ABCD"}
    return _separated(folder, "mcq.tsv", [{"URL": "https://example.org", "Question": one, **options, "Prompt": f"{PROMPT} {one}", "GT": "A"} for one in questions])  # fmt: skip


def _rcm(folder: Path, questions: list[str]) -> Path:
    return _separated(folder, "rcm.tsv", [{"URL": f"https://nvd.nist.gov/vuln/detail/CVE-2031-{10_000 + number}", "Description": one, "Prompt": f"{PROMPT} {one}", "GT": "CWE-79"} for number, one in enumerate(questions)])  # fmt: skip


def _table(folder: Path, questions: list[str]) -> Path:
    return _separated(folder, "table.csv", [{"id": str(number), "question": one, "answer": "B"} for number, one in enumerate(questions)])  # fmt: skip


def _list(folder: Path, questions: list[str]) -> Path:
    path = folder / "list.json"
    path.write_text(json.dumps({"questions": [{"question": one, "answers": {"A": "x", "B": "y"}, "solution": "A"} for one in questions]}))  # fmt: skip
    return path


def _lines(folder: Path, questions: list[str]) -> Path:
    path = folder / "lines.jsonl"
    path.write_text("".join(json.dumps({"text": one, "label": [1]}) + "\n" for one in questions))
    return path


def _columns(folder: Path, questions: list[str]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"question": questions, "choices": [["a", "b"] for _ in questions]}), folder / "columns.parquet")
    return folder / "columns.parquet"


FORMATS: dict[str, Callable[[Path, list[str]], Path]] = {
    "mcq.tsv": _mcq,
    "rcm.tsv": _rcm,
    "csv": _table,
    "json": _list,
    "jsonl": _lines,
    "parquet": _columns,
}


if __name__ == "__main__":
    main()
