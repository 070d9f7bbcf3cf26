"""What enrichment left in its spool, read again for every table, so that no text of 100,000 rows stays in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from stages.enrich.core import Job, Outcome, untouched
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.llm.counted import Counted, Kind
from stages.llm.schema import StoredResponse
from stages.llm.used import KEY
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

NONE: list[str] = []  # shared, never changed
SOME = ["teacher", "judge"]
_rows: dict[tuple, EnrichedRow] = {}
_attempts: dict[tuple, RewriteAttempt] = {}


class Results:
    """`outcomes` of `jobs`, and the `rows` that had no job."""

    def __init__(self, outcomes: Sequence[Outcome], jobs: Sequence[Job], rows: Sequence[InstructionRow]) -> None:
        self._outcomes, self._rows = outcomes, rows
        self._places = {job.row.id: place for place, job in enumerate(jobs)}

    def rows(self) -> Iterator[EnrichedRow]:
        """Every row, in the order of the instruction rows."""
        for row in self._rows:
            place = self._places.get(row.id)
            yield untouched(row) if place is None else self._outcomes[place].row

    def attempts(self) -> Iterator[RewriteAttempt]:
        """Every attempt, in the order of the jobs."""
        return (attempt for outcome in self._outcomes for attempt in outcome.attempts)

    def rejects(self) -> Iterator[Reject]:
        """Of the rows that a call failed for."""
        return (outcome.reject for outcome in self._outcomes if outcome.reject)


def bare(row: EnrichedRow) -> EnrichedRow:
    """What figures of decisions and verdicts need of `row`: the same object for rows that are alike, of which there are few sorts."""
    told = (row.task, row.family, row.decision, tuple(row.reasons), row.readability, row.factuality, row.steps_followed)
    if told not in _rows:
        _rows[told] = msgspec.structs.replace(
            row, id="", key_kind="", split="", subject="", format_sha256="", instruction="", answer="", template_answer="",
            rewrite="", labels=NONE, sources=NONE, licences=NONE, entity_ids=NONE, answer_key=NONE, evidence_ids=NONE,
            request_hashes=NONE,
        )  # fmt: skip
    return _rows[told]


def bare_attempt(attempt: RewriteAttempt) -> RewriteAttempt:
    """The same of `attempt`; two requests at most say that it had some, and a judge."""
    asked = SOME[: len(attempt.request_hashes)]
    told = (attempt.attempt, tuple(attempt.reasons), attempt.readability, *attempt.places, attempt.factuality, len(asked))
    if told not in _attempts:
        _attempts[told] = msgspec.structs.replace(attempt, row_id="", text="", evidence_ids=NONE, request_hashes=asked)
    return _attempts[told]


class Spent(NamedTuple):
    """What one response was paid for."""

    model: str
    prompt_tokens: int
    completion_tokens: int


class SpentByKey(Mapping[str, Spent]):
    """What responses were paid for, by key."""

    def __init__(self, responses: Iterable[StoredResponse]) -> None:
        self._spent = Counted()
        self._spent.put_all(
            (bytes.fromhex(one.key), Kind("", one.model, "", ""), one.prompt_tokens, one.completion_tokens) for one in responses
        )

    def __getitem__(self, key: str) -> Spent:
        found = self._spent.get(bytes.fromhex(key))
        if found is None:
            raise KeyError(key)
        return Spent(found[0].model, found[1], found[2])

    def __iter__(self) -> Iterator[str]:
        return iter(self._spent.keys().hex("\n", KEY).split())

    def __len__(self) -> int:
        return len(self._spent)
