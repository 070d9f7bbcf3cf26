"""Recall of decontamination: leaks of each kind planted among 20,000 clean rows, for each format of benchmark file.

Items are the hand-written questions of tests/validate/paraphrases.jsonl, each with two paraphrases by hand, and questions of
random words, which do for the kinds that keep the words. Everything goes through the command's own path: a file of rows, a
file of items, a report.
"""

import csv
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.validate.contamination import check_files
from stages.validate.encoder_at_hand import encoder_at_hand
from stages.validate.paraphrase import Encoders
from tests.timings.clean_rows import clean_rows

WRITTEN = Path(__file__).parents[1] / "validate" / "paraphrases.jsonl"
PROMPT = "You are given a question about security. Choose the right answer and return only one letter without any explanation."
_VOCABULARY = [f"{stem}{ending}" for stem in ("attack", "parse", "load", "sign", "trust", "route", "queue", "store", "field", "shell") for ending in ("er", "ing", "ed", "s", "able", "less", "ment", "ward", "ist", "ful")] + [f"term{number}" for number in range(4_000)]  # fmt: skip


class Question(NamedTuple):
    """An item as it stands in a benchmark file."""

    text: str
    answer: str = ""
    paraphrases: tuple[str, ...] = ()


class Recall(NamedTuple):
    """What was found of one kind of leak in one format."""

    planted: int
    found: int

    @property
    def share(self) -> float:
        """NaN where nothing was planted."""
        return self.found / self.planted if self.planted else float("nan")


def main(clean: int = 20_000, items: int = 200) -> None:
    """Print one line per format: recall by kind, and how many clean rows were dropped."""
    encoders, why_not = encoder_at_hand()
    kinds = [*KINDS, "paraphrased"]
    with tempfile.TemporaryDirectory() as folder:
        print(f"decontaminate_recall: {items} items per format, each leaked once in each kind, among {clean:,} clean rows")
        print(f"{'format':<10}" + "".join(f"{kind:>13}" for kind in kinds) + f"{'clean dropped':>15}")
        for name in FORMATS:
            found, dropped = recall(name, Path(folder), clean, items, encoders)
            shares = [f"{found[kind].share:.3f}" for kind in KINDS]
            shares.append(f"{found['paraphrased'].share:.3f}" if encoders else "NOT checked")
            print(f"{name:<10}" + "".join(f"{share:>13}" for share in shares) + f"{dropped:>9} of {clean:,}", flush=True)
        print(f"not planted as truncated, since fewer than five words are left: {items - found['truncated'].planted} of {items}")
    if not encoders:
        print(f"paraphrases were NOT looked for: {why_not}")


def recall(name: str, folder: Path, clean: int, count: int, encoders: Encoders | None = None) -> tuple[dict[str, Recall], int]:
    """(kind -> recall, clean rows dropped) for one format, from a file of rows and a file of items of that format."""
    questions = make_questions(count)
    path = FORMATS[name](folder, questions)
    rows = {f"clean-{number}": text for number, text in enumerate(clean_rows(clean))}
    for number, question in enumerate(questions):
        chance = random.Random(number)
        for kind, leak in KINDS.items():
            if text := leak(question.text, _cve(number), chance):
                rows[f"{kind}-{number}"] = text
        rows |= {f"paraphrased-{number}.{one}": text for one, text in enumerate(question.paraphrases)}
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in rows.items()))
    matched = {match.row for match in check_files(data, [path], encoders=encoders)["matches"]}
    kinds = dict.fromkeys([*KINDS, "paraphrased", "clean"], (0, 0))
    for key in rows:
        kind = key.rpartition("-")[0]
        kinds[kind] = (kinds[kind][0] + 1, kinds[kind][1] + (key in matched))
    found = {kind: Recall(*pair) for kind, pair in kinds.items()}
    return found, found.pop("clean").found


def make_questions(count: int) -> list[Question]:
    """The hand-written questions, then questions of random words."""
    written = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    own = [Question(one["question"], one["answer"], tuple(one["paraphrases"])) for one in written]
    return [*own, *(Question(_text(random.Random(n), random.Random(n).randint(16, 60))) for n in range(count - len(own)))][:count]


def _text(chance: random.Random, words: int) -> str:
    drawn = chance.choices(_VOCABULARY, k=words)
    return " ".join(f"{word}." if place % 12 == 11 else word for place, word in enumerate(drawn))


def _rewrapped(question: str, _: str, chance: random.Random) -> str:
    return "".join(f"{word}{chance.choice([' ', chr(10), '  ', ' - ', ', '])}" for word in question.split())


def _truncated(question: str, _: str, __: random.Random) -> str:
    """The first 60 %, where five words are left: fewer are the beginning of any question."""
    words = question.split()
    kept = words[: round(0.6 * len(words))]
    return f"{_text(random.Random(question), 12)} {' '.join(kept)}" if len(kept) >= 5 else ""


KINDS: dict[str, Callable[[str, str, random.Random], str]] = {
    "verbatim": lambda question, *_: question,
    "re-cased": lambda question, *_: question.upper(),
    "re-wrapped": _rewrapped,
    "prefixed": lambda question, _, chance: f"{_text(chance, 25)} Question: {question} Think first.",
    "truncated": _truncated,
    "id-only": lambda _, name, __: f"Consider {name} and say what follows.",
}


def _separated(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _mcq(folder: Path, questions: Sequence[Question]) -> Path:
    return _separated(folder, "mcq.tsv", [{"URL": _url(number), "Question": one.text, **{f"Option {letter}": text for letter, text in _options(one).items()}, "Prompt": f"{PROMPT} {one.text}", "GT": "C"} for number, one in enumerate(questions)])  # fmt: skip


def _rcm(folder: Path, questions: Sequence[Question]) -> Path:
    return _separated(folder, "rcm.tsv", [{"URL": _url(number), "Description": one.text, "Prompt": f"{PROMPT} {one.text}", "GT": "CWE-79"} for number, one in enumerate(questions)])  # fmt: skip


def _table(folder: Path, questions: Sequence[Question]) -> Path:
    return _separated(folder, "table.csv", [{"id": str(number), "question": one.text, "answer": one.answer, "source": _url(number)} for number, one in enumerate(questions)])  # fmt: skip


def _list(folder: Path, questions: Sequence[Question]) -> Path:
    path = folder / "list.json"
    path.write_text(json.dumps({"questions": [{"question": one.text, "answers": _options(one), "solution": "C", "source": _url(number)} for number, one in enumerate(questions)]}))  # fmt: skip
    return path


def _lines(folder: Path, questions: Sequence[Question]) -> Path:
    path = folder / "lines.jsonl"
    path.write_text(
        "".join(
            json.dumps({"text": one.text, "label": [1], "source": _url(number)}) + "\n" for number, one in enumerate(questions)
        )
    )
    return path


def _columns(folder: Path, questions: Sequence[Question]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"question": [one.text for one in questions], "choices": [list(_options(one).values()) for one in questions], "answer": [2] * len(questions), "source": [_url(number) for number in range(len(questions))]}  # fmt: skip
    pq.write_table(pa.table(columns), folder / "columns.parquet")
    return folder / "columns.parquet"


def _cve(number: int) -> str:
    return f"CVE-2031-{10_000 + number}"


def _url(number: int) -> str:
    return f"https://nvd.nist.gov/vuln/detail/{_cve(number)}"


def _options(one: Question) -> dict[str, str]:
    """The right one is C."""
    return {"A": "None of these", "B": "All of these", "C": one.answer or "It depends", "D": "This cannot be known"}


FORMATS: dict[str, Callable[[Path, Sequence[Question]], Path]] = {
    "mcq.tsv": _mcq,
    "rcm.tsv": _rcm,
    "csv": _table,
    "json": _list,
    "jsonl": _lines,
    "parquet": _columns,
}


if __name__ == "__main__":
    main()
