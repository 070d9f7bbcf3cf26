"""A row of the stage is grounded or rejected, and never left out in silence."""

import pytest

from stages.errors import LLMError
from stages.ground.run import Outcomes
from stages.llm.failures import CallFailed
from stages.tables import Reject
from tests.toy_rows import make_row


def test_a_row_without_an_outcome_is_named_and_ends_the_stage() -> None:
    rows = [make_row("First?", "A."), make_row("Second?", "B.")]
    found = Outcomes([Reject("ground", rows[0].id, "bad"), CallFailed("stopped")], rows)
    for read in (lambda: list(found.grounded()), found.rejects):
        with pytest.raises(LLMError, match=rf"(?s)the row {rows[1].id} has no outcome \(stopped\).*again"):
            read()
