"""Ids and times as they are kept."""

import re
from datetime import datetime

from stages.review.stamps import new_id, now


def test_ids_differ_and_times_sort_as_text() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000 and all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
    before = now()
    assert datetime.fromisoformat(before).tzinfo is not None and before <= now()
