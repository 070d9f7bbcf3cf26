"""The keep rule: a rewrite replaces the template only if everything holds; nothing is ever lost."""

import asyncio

import msgspec
import pytest

from stages.enrich.core import Job, Outcome, enrich_row, untouched
from stages.enrich.describe import bare_attempts, describe
from stages.enrich.judge import NO_VERDICT
from stages.enrich.params import EnrichParams, Keep
from stages.llm.client import Reply, Request
from tests.fake_client import Answer, FakeClient
from tests.fake_teacher import split_fences
from tests.toy_rows import make_entity, make_evidence, make_format, make_grounded, make_row

ANSWER = "The page echoes input without encoding it.\nFinal answer: CWE-79"
ROW = make_row("Which weakness is it if a page echoes input?", ANSWER)
GOOD = "### 1. Observation\nThe page echoes input.\n### 2. Flaw\nWithout encoding it.\n### 3. Conclusion\nScripting.\nFinal answer: CWE-79"
EVIDENCE = [make_evidence(ROW, f"Encode output {number}. " * 8, rank=number, passage_id=f"p{number}") for number in range(1, 6)]
JOB = Job(ROW, make_format(), make_grounded(ROW), EVIDENCE)
ENTITIES = {entity_id: make_entity(entity_id) for entity_id in ("cwe:CWE-79", "cwe:CWE-89")}


def says(rewrite: str | None = GOOD, first: str = "B", second: str = "A", score: str | None = "9") -> Answer:
    def answer(request: Request) -> str | None:
        if request.purpose == "enrich.rewrite":
            return rewrite
        if request.purpose == "enrich.factuality":
            return score
        shown = split_fences(request.messages[-1]["content"])[1]
        return first if shown["Answer A"].startswith("The page") else second

    return answer


def enrich(answer: Answer, *, passed: bool = True, **params: object) -> tuple[Outcome, FakeClient]:
    client = FakeClient(answer)
    return asyncio.run(enrich_row(JOB, client, ENTITIES, EnrichParams(**params), passed)), client  # type: ignore[arg-type]


def test_a_rewrite_that_passes_everything_replaces_the_answer_and_brings_its_sources() -> None:
    outcome, client = enrich(says())
    row = outcome.row
    assert (row.decision, row.answer, row.template_answer, row.reasons) == ("rewritten", GOOD, ANSWER, [])
    assert (row.readability, row.factuality) == ("rewritten", 9)
    assert row.sources == ["toy", "toy-graph"] and row.licences == ["CC-BY-4.0", "CC0-1.0"]
    assert len(row.request_hashes) == 1 + 4 and len(client.requests) == 4 and outcome.reject is None


def test_a_rewrite_that_rests_on_a_page_of_the_web_names_the_web_as_a_source() -> None:
    page = make_evidence(ROW, "Encode output. " * 8, entity_id="web:0123456789abcdef", passage_id="web:0123456789abcdef#1")
    job = Job(ROW, JOB.form, JOB.grounded, [page])
    outcome = asyncio.run(enrich_row(job, FakeClient(says()), ENTITIES, EnrichParams(), True))
    assert outcome.row.decision == "rewritten" and outcome.row.sources == ["toy", "web"]


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (says(first="A", second="B"), ["less-readable"]),
        (says(first="A", second="A"), ["less-readable"]),
        (says(score="7"), ["not-factual"]),
        (says(score="x"), ["judge-unparsed"]),
        (says(first="A", second="B", score="2"), ["less-readable", "not-factual"]),
        (says(GOOD.replace("CWE-79", "CWE-89")), ["key-changed", "unsupported-id"]),
    ],
)
def test_otherwise_the_template_stays_with_its_own_sources_and_every_reason(answer: Answer, reasons: list[str]) -> None:
    row = enrich(answer)[0].row
    assert (row.decision, row.answer, row.reasons) == ("template", ANSWER, reasons)
    assert row.rewrite and row.sources == ["toy"] and row.licences == ["CC0-1.0"]


def test_no_rewrite_is_kept_on_the_word_of_a_judge_at_chance() -> None:
    row = enrich(says(), passed=False)[0].row
    assert row.decision == "template" and row.reasons == ["judge-not-calibrated"] and row.factuality == 9


def test_the_judge_is_spared_what_code_has_refused_unless_asked() -> None:
    bad = GOOD.replace("CWE-79", "CWE-89")
    assert len(enrich(says(bad))[1].requests) == 1
    row = enrich(says(bad), judge_all=True)[0].row
    assert row.factuality == 9 and row.decision == "template" and "key-changed" in row.reasons


def test_the_threshold_is_a_param() -> None:
    assert enrich(says(score="8"))[0].row.decision == "rewritten"
    assert enrich(says(score="8"), keep=Keep(factuality=9))[0].row.reasons == ["not-factual"]
    assert (
        enrich(says(first="A", second="A"), keep=Keep(readability=("rewritten", "inconsistent")))[0].row.decision == "rewritten"
    )


def test_a_failed_call_is_a_reject_and_the_row_keeps_its_template() -> None:
    outcome, client = enrich(says(None))
    assert outcome.reject and outcome.reject.reason == "call-failed:server-error" and outcome.reject.record == ROW.id
    assert outcome.row.answer == ANSWER and outcome.row.reasons == ["call-failed:server-error"]
    assert len(client.requests) == 2  # the second with less evidence
    outcome, _ = enrich(says(score=None))
    assert outcome.reject and outcome.row.decision == "template" and outcome.row.rewrite == GOOD


def test_a_broken_text_is_tried_again_with_less_evidence_and_a_wrong_one_is_not() -> None:
    replies = iter(["again and again it goes " * 30, GOOD])
    calm = says()
    outcome, client = enrich(
        lambda request: next(replies) if request.purpose == "enrich.rewrite" else calm(request), evidence_tokens=200
    )
    rewrites = [request for request in client.requests if request.purpose == "enrich.rewrite"]
    shown = [str(request.messages).count("- Encode") for request in rewrites]
    assert outcome.row.decision == "rewritten" and [request.attempt for request in rewrites] == [0, 1] and shown[0] > shown[1] > 0
    assert len(outcome.row.evidence_ids) == shown[1]
    assert sum(r.purpose == "enrich.rewrite" for r in enrich(says(GOOD.replace("CWE-79", "CWE-89")))[1].requests) == 1


def test_an_outcome_carries_the_grounds_of_its_decision() -> None:
    outcome = enrich(says(GOOD.replace("CWE-79", "CWE-89")), judge_all=True)[0]
    failed = {check.name: check.words for check in outcome.checks if not check.passed}
    assert failed == {"key-changed": ["Final answer: CWE-89 instead of CWE-79"], "unsupported-id": ["CWE-89"]}
    assert (outcome.verdict.places, outcome.verdict.factuality) == (("B", "A"), 9)
    assert [passage.passage_id for passage in outcome.shown] == outcome.row.evidence_ids != []
    assert outcome.hashes == outcome.row.request_hashes
    assert (outcome.row.format_sha256, outcome.row.steps_followed) == (JOB.form.sha256, 3)
    refused = enrich(says(GOOD.replace("CWE-79", "CWE-89")))[0]
    assert refused.verdict == NO_VERDICT and refused.row.reasons == sorted(failed)


def test_a_failed_call_has_no_checks_and_followed_no_step() -> None:
    outcome = enrich(says(None))[0]
    assert (outcome.checks, outcome.verdict, outcome.row.steps_followed, outcome.row.format_sha256) == ([], NO_VERDICT, 0, "0")


def test_a_text_that_was_cut_shows_where() -> None:
    client = FakeClient(says())
    plain = client.chat

    async def chat(request: Request) -> Reply:
        return msgspec.structs.replace(await plain(request), finish_reason="length")

    client.chat = chat  # type: ignore[method-assign]
    outcome = asyncio.run(enrich_row(JOB, client, ENTITIES, EnrichParams(), True))  # type: ignore[arg-type]
    assert outcome.row.reasons == ["truncated"] and outcome.checks[-1].name == "truncated"
    assert outcome.checks[-1].words[0].startswith("cut after 1 tokens: …") and outcome.checks[-1].words[0].endswith("CWE-79")


def test_without_the_judges_word_its_verdicts_are_recorded_and_keep_nothing_out() -> None:
    keep = Keep(judge=False)
    harsh = enrich(says(first="A", second="B", score="1"), passed=False, keep=keep)[0]
    assert (harsh.row.decision, harsh.row.readability, harsh.row.factuality) == ("rewritten", "original", 1)
    silent = enrich(says(score=None), keep=keep)[0]
    assert (silent.row.decision, silent.reject, silent.verdict.factuality) == ("rewritten", None, None)
    wrong = enrich(says(GOOD.replace("CWE-79", "CWE-89")), keep=keep)[0]
    assert (wrong.row.decision, wrong.row.reasons) == ("template", ["key-changed", "unsupported-id"])


def test_the_judges_switch_changes_no_request() -> None:
    one, other = (enrich(says(score="2"), keep=Keep(judge=judge))[0].hashes for judge in (True, False))
    assert one == other


def test_rows_that_were_not_selected_pass_through_and_metrics_count_all() -> None:
    rows = [untouched(ROW), enrich(says())[0].row, enrich(says(score="2"))[0].row]
    found = describe(rows, bare_attempts([]), EnrichParams())
    assert rows[0].decision == "not-selected" and rows[0].answer == rows[0].template_answer == ANSWER
    assert found["decisions"] == {"rewritten": 1, "template": 1, "not-selected": 1} and found["keep_rate"] == 0.5
    assert found["reasons"] == {"not-factual": 1} and found["factuality"] == {"2": 1, "9": 1}
    assert set(msgspec.structs.asdict(rows[0])) == set(rows[0].__struct_fields__)


@pytest.mark.parametrize(("answer", "paid"), [(says(score=None), 2), (says(second=None), 1), (says(first=None), 0)])  # type: ignore[arg-type]
def test_comparisons_that_were_paid_before_a_call_failed_are_not_lost(answer: Answer, paid: int) -> None:
    outcome, client = enrich(answer)
    assert outcome.row.reasons == ["call-failed:server-error"] and outcome.reject
    assert len(outcome.row.request_hashes) == 1 + 1 + paid and set(client.responses) <= set(outcome.row.request_hashes)
    assert outcome.attempts[-1].request_hashes == outcome.row.request_hashes[1:]
