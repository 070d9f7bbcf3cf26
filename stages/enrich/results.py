"""What enrichment left in its spool, read again for every table, so that no text of 100,000 rows stays in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern

import msgspec

from stages.enrich.core import Job, Outcome, untouched
from stages.enrich.schema import EnrichedRow, RewriteAttempt
from stages.llm.schema import StoredResponse
from stages.tables import Reject
from stages.tasks.schema import InstructionRow

NONE: list[str] = []  # shared, never changed
SOME = ["teacher", "judge"]
_lists: dict[tuple[str, ...], list[str]] = {}


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
    """`row` without its texts and lists, for figures of decisions and verdicts."""
    return msgspec.structs.replace(
        row, id="", task=intern(row.task), family=intern(row.family), key_kind="", split="", subject="", format_sha256="",
        instruction="", answer="", template_answer="", rewrite="", decision=intern(row.decision), reasons=_shared(row.reasons),
        readability=intern(row.readability), labels=NONE, sources=NONE, licences=NONE, entity_ids=NONE, answer_key=NONE,
        evidence_ids=NONE, request_hashes=NONE,
    )  # fmt: skip


def bare_attempt(attempt: RewriteAttempt) -> RewriteAttempt:
    """`attempt` without its text; two requests at most say that it had some, and a judge."""
    return msgspec.structs.replace(
        attempt, text="", evidence_ids=NONE, request_hashes=SOME[: len(attempt.request_hashes)], reasons=_shared(attempt.reasons),
        readability=intern(attempt.readability), places=_shared(attempt.places),
    )  # fmt: skip


def _shared(names: list[str]) -> list[str]:
    """The same list for the same names: they are few, and nobody changes them."""
    return _lists.setdefault(tuple(names), names)


class Spent(msgspec.Struct, frozen=True, gc=False):
    """What one response was paid for."""

    model: str
    prompt_tokens: int
    completion_tokens: int


class SpentByKey(Mapping[str, Spent]):
    """What responses were paid for, by key; 32 bytes a key instead of 64 letters."""

    def __init__(self, responses: Iterable[StoredResponse]) -> None:
        self._spent = {
            bytes.fromhex(one.key): Spent(intern(one.model), one.prompt_tokens, one.completion_tokens) for one in responses
        }

    def __getitem__(self, key: str) -> Spent:
        return self._spent[bytes.fromhex(key)]

    def __iter__(self) -> Iterator[str]:
        return (key.hex() for key in self._spent)

    def __len__(self) -> int:
        return len(self._spent)
