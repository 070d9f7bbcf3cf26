"""The questions written by hand: one JSON object a line in `questions.jsonl`, beside this file."""

from collections.abc import Iterable, Set
from pathlib import Path

import msgspec

from stages.errors import InputError
from stages.ground.recall.schema import Question

FILE = Path(__file__).parent / "questions.jsonl"


def read_questions(path: Path = FILE) -> list[Question]:
    """All questions, in the order of the file. Raises InputError for a line that is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_question(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def answerable(questions: Iterable[Question], known: Set[str]) -> tuple[list[Question], int]:
    """The questions of which an answer stands in `known` (ids of entities and passages), and how many have none there.

    Answers that the build lacks are left out, so that other sources than the default's change what can be measured.
    """
    found, without = [], 0
    for one in questions:
        there = [answer for answer in one.answers if answer in known]
        without += not there
        if there:
            found.append(msgspec.structs.replace(one, answers=there))
    return found, without


def _question(path: Path, number: int, line: str) -> Question:
    try:
        return msgspec.json.decode(line, type=Question)
    except msgspec.DecodeError as error:
        raise InputError(
            f"{path}, line {number}: {error}", allowed="question, answers, kind, wording", remedy="Mend the line."
        ) from error
