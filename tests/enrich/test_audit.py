"""The audit of the finished table can fail: it looks at what was written and believes no decision."""

from typing import Any

import msgspec
import pytest

from stages.enrich.audit import MOST_NAMED, audit
from stages.enrich.core import untouched
from stages.enrich.schema import EnrichedRow
from tests.enrich.test_core import ANSWER, ENTITIES, EVIDENCE, GOOD, ROW, enrich, says
from tests.toy_rows import make_row

KEPT = enrich(says())[0].row
TASKS, PASSAGES = {ROW.id: ROW}, {ROW.id: EVIDENCE}


def found(*rows: EnrichedRow, **changed: Any) -> dict[str, Any]:
    return audit(rows, **{"tasks": TASKS, "graph": ENTITIES, "evidence": PASSAGES, **changed}).metrics()


def corrupted(**changed: Any) -> EnrichedRow:
    return msgspec.structs.replace(KEPT, **changed)


def test_a_sound_table_preserves_every_key_and_invents_nothing() -> None:
    assert found(KEPT, untouched(ROW)) == {
        "rows": 1, "with_key": 1, "answer_key_preserved": 1.0, "answer_key_preserved_low": pytest.approx(0.2065), "keys_lost": 0,
        "invented_ids": 0, "unsupported_ids": 0, "rows_altered": 0, "offending": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        GOOD.replace("CWE-79", "CWE-89"),
        GOOD.replace("Final answer: CWE-79", ""),
        GOOD + ", CWE-89",
        "",
        GOOD + "\nFinal answer: CWE-89",
    ],
)
def test_a_corrupted_answer_makes_less_than_all_keys_preserved(answer: str) -> None:
    seen = found(KEPT, corrupted(answer=answer))
    assert seen["answer_key_preserved"] == 0.5 and seen["keys_lost"] == 1 and seen["offending"] == [ROW.id]


@pytest.mark.parametrize(
    ("said", "invented", "unsupported"),
    [
        ("See CVE-2099-99999 and cve-2099-99999.", 1, 0),
        ("See CWE-89.", 0, 1),
        ("See CWE-89 and CWE-999999.", 1, 1),
        ("See CWE-79.", 0, 0),
    ],
)
def test_an_invented_identifier_in_a_kept_answer_is_counted_whatever_the_reasons_say(
    said: str, invented: int, unsupported: int
) -> None:
    seen = found(corrupted(answer=f"{said}\n{GOOD}"))
    assert (seen["invented_ids"], seen["unsupported_ids"]) == (invented, unsupported) and bool(seen["offending"]) == bool(
        invented + unsupported
    )


@pytest.mark.parametrize(
    "said",
    ["See cwe 89.", "See CWE_89.", "See ＣＷＥ－89.", "See CW\u200bE-89.", "See **CWE-89**.", "See CWE‑0089.", "See _CWE-89_."],
)
def test_an_identifier_in_any_writing_is_seen(said: str) -> None:
    assert found(corrupted(answer=f"{said}\n{GOOD}"))["unsupported_ids"] == 1


def test_what_the_row_itself_names_is_not_invented_by_the_rewrite() -> None:
    row = make_row("Does CVE-2099-99999 hit the S3000-series?", ANSWER)
    kept = msgspec.structs.replace(KEPT, id=row.id, answer=f"CVE-2099-99999 hits the S3000-series.\n{GOOD}")
    assert found(kept, tasks={row.id: row})["offending"] == []


def test_only_evidence_that_was_shown_supports_an_identifier() -> None:
    told = {ROW.id: [msgspec.structs.replace(EVIDENCE[0], text="CWE-89 is another.", passage_id="p1")]}
    answer = f"Unlike CWE-89.\n{GOOD}"
    assert found(corrupted(answer=answer, evidence_ids=["p1"]), evidence=told)["unsupported_ids"] == 0
    assert found(corrupted(answer=answer, evidence_ids=[]), evidence=told)["unsupported_ids"] == 1


def test_what_enrichment_must_leave_alone_is_compared_with_the_instruction_rows() -> None:
    template = untouched(ROW)
    for row in (
        corrupted(template_answer="Another."),
        corrupted(answer_key=["CWE-89"]),
        msgspec.structs.replace(template, answer=GOOD),
        msgspec.structs.replace(template, id="unknown"),
    ):
        assert found(row)["rows_altered"] == 1 and found(row)["offending"] == [row.id]
    assert found(template)["answer_key_preserved"] is None, "no kept row has a key: nothing was shown"


def test_rows_without_a_key_count_apart_and_few_offending_rows_are_named() -> None:
    free = make_row("Describe it.", ANSWER, key_kind="none", answer_key=[])
    kept = msgspec.structs.replace(KEPT, id=free.id, answer_key=[], key_kind="none")
    assert found(kept, tasks={free.id: free})["with_key"] == 0 and found(kept, tasks={free.id: free})["rows"] == 1
    strange = [msgspec.structs.replace(untouched(ROW), id=f"{number:04}") for number in range(99)]
    assert found(*strange)["offending"] == [f"{number:04}" for number in range(MOST_NAMED)]
