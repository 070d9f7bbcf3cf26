"""What is sampled, what a reply says, and how agreement is counted."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.label.core import agreement, label, named_categories, sample
from stages.label.params import LabelParams
from stages.label.schema import Labelled
from stages.tables import Reject
from stages.taxonomy import load_taxonomy
from tests.fake_client import FakeClient
from tests.toy_rows import make_row, toy_corpus

TAXONOMY = load_taxonomy()


def test_the_sample_goes_round_the_tasks_and_does_not_depend_on_the_order_of_rows() -> None:
    rows = toy_corpus()
    train = [row for row in rows if row.split == "train"]
    tasks = {row.task for row in train}
    chosen = sample(rows, len(tasks))
    assert {row.task for row in chosen} == tasks
    assert sample(rows[::-1], len(tasks)) == chosen
    assert len(sample(rows, 10_000)) == len(train) and sample(rows, 0) == []


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("threat-intelligence, incident-response", ["incident-response", "threat-intelligence"]),
        ("Categories: Software Weaknesses", ["software-weaknesses"]),
        ("Sure!\n- detection_engineering\n- platform-security", ["detection-engineering"]),
        ("cyber threat intelligences", []),
        ("none of them", []),
        ("", []),
    ],
)
def test_names_are_read_from_the_first_line_that_has_any(reply: str, named: list[str]) -> None:
    assert named_categories(reply, TAXONOMY) == named


@given(st.text())
def test_any_reply_names_known_categories_only(reply: str) -> None:
    assert set(named_categories(reply, TAXONOMY)) <= {one.name for one in TAXONOMY}


def test_the_model_sees_the_instruction_and_neither_answer_nor_labels() -> None:
    client = FakeClient(lambda request: "software-weaknesses")
    row = make_row("Which flaw is it?", "The secret answer.")
    found = asyncio.run(label(row, client, TAXONOMY, LabelParams()))
    assert isinstance(found, Labelled) and found.named == ["software-weaknesses"]
    shown = str(client.requests[0].messages)
    assert "Which flaw is it?" in shown and "secret" not in shown and client.requests[0].role == "judge"


@pytest.mark.parametrize(("answer", "reason"), [(None, "call-failed:server-error"), ("no idea", "no-category-named")])
def test_a_row_without_labels_is_a_reject(answer: str | None, reason: str) -> None:
    found = asyncio.run(label(make_row("Q?", "A."), FakeClient(lambda request: answer), TAXONOMY, LabelParams()))
    assert isinstance(found, Reject) and found.reason == reason


def made(declared: list[str], named: list[str]) -> Labelled:
    return Labelled(row_id="r", task="t", declared=declared, named=named, request_hashes=["h"])


def test_agreement_per_category_and_over_all() -> None:
    a, b = "attack-techniques", "software-weaknesses"
    found = agreement([made([a], [a]), made([a], [b]), made([b], [b]), made([b], [a, b])], TAXONOMY)
    assert found["mean_jaccard"] == 0.625
    assert found["categories"][a] == {"declared": 2, "named": 2, "both": 1, "agreement": 0.5, "kappa": 0.0}
    assert found["categories"][b] == {"declared": 2, "named": 3, "both": 2, "agreement": 0.75, "kappa": 0.5}
    assert found["categories"]["platform-security"]["kappa"] is None


def test_nothing_labelled_is_no_agreement() -> None:
    found = agreement([], TAXONOMY)
    assert found["mean_jaccard"] is None and all(one["agreement"] is None for one in found["categories"].values())


@pytest.mark.parametrize(
    ("second", "named"),
    [("software-weaknesses", ["software-weaknesses"]), ('{"categories": ["Software Weaknesses"]}', ["software-weaknesses"])],
)
def test_a_reply_without_a_category_is_repaired_once(second: str, named: list[str]) -> None:
    replies = ["I cannot say.", second]
    client = FakeClient(lambda request: replies[len(client.requests) - 1])
    found = asyncio.run(label(make_row("Which flaw is it?", "An answer."), client, TAXONOMY, LabelParams()))
    assert isinstance(found, Labelled) and found.named == named
    asked, repaired = client.requests
    assert found.request_hashes == [*client.responses] and len(client.responses) == 2
    assert repaired.messages[:-2] == asked.messages
    assert client.ledger.metrics()["parse_failures"] == 1
