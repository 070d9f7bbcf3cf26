"""Small planted data: every weakness has words of its own, so that a system that can read finds the label."""

from stages.benchmarks.schema import BenchmarkItem
from stages.tables import content_id
from stages.validate.schema import TrainingRow

WORDS = {
    "CWE-79": "script injected into a web page shown to other users",
    "CWE-89": "database statement built from user input by concatenation",
    "CWE-787": "bytes written past the end of a heap buffer",
    "CWE-22": "path with dot dot segments leaves the intended directory",
}
LETTERS = "ABCD"


def label_row(key: str, number: int) -> TrainingRow:
    instruction = f"Name the weakness behind this report {number}: {WORDS[key]}."
    return row("cve-to-cwe", "cwe", instruction, f"Weakness: known\nFinal answer: {key}", [key])


def letter_row(key: str, number: int) -> TrainingRow:
    options = sorted(WORDS, key=lambda one: content_id(str(number), one))
    letter = LETTERS[options.index(key)]
    shown = "\n".join(f"{name}. {option}" for name, option in zip(LETTERS, options, strict=True))
    instruction = f"Which id fits report {number}: {WORDS[key]}?\n{shown}"
    return row("choose", "letter", instruction, f"{WORDS[key]} is {key}.\nFinal answer: {letter}", [letter])


def row(task: str, kind: str, instruction: str, answer: str, key: list[str]) -> TrainingRow:
    return TrainingRow(
        id=content_id(task, instruction, answer),
        task=task,
        family="cve",
        instruction=instruction,
        answer=answer,
        key_kind=kind,
        answer_key=key,
        decision="template",
        licences=["CC0-1.0"],
    )


def training_rows(copies: int = 4) -> list[TrainingRow]:
    return [make(key, number) for number in range(copies) for key in WORDS for make in (label_row, letter_row)]


def benchmark_items(copies: int = 3) -> list[BenchmarkItem]:
    items = []
    for number in range(100, 100 + copies):
        for key in WORDS:
            label, letter = label_row(key, number), letter_row(key, number)
            options = [line[3:] for line in letter.instruction.splitlines()[1:]]
            items.append(item("secforge-rcm", label, []))
            items.append(item("secforge-mcq", letter, options))
    return items


def item(benchmark: str, made: TrainingRow, options: list[str]) -> BenchmarkItem:
    return BenchmarkItem(
        id=made.id,
        benchmark=benchmark,
        task=made.task,
        question=made.instruction,
        options=options,
        key=made.answer_key,
        key_kind=made.key_kind,
        subject=made.id,
        entity_ids=[],
        source="planted",
        licence="CC0-1.0",
    )
