"""Documents chosen, chains of pairs, rejects with reasons."""

import asyncio
from collections.abc import Callable

import pytest

from stages.llm.client import Request
from stages.synthesize.core import Outcome, choose_documents, distinct, synthesize
from stages.synthesize.params import SynthesizeParams
from stages.taxonomy import load_taxonomy
from tests.fake_client import FakeClient
from tests.tasks.small_graph import entity
from tests.toy_rows import make_row

TEXT = "The pump controller trusts every frame that reaches its serial port and starts the motor without asking who sent it. " * 4
WORDS = ("pressure", "valve", "operator", "gateway", "firmware", "watchdog", "alarm", "badge")


def documents(params: SynthesizeParams, **splits: str) -> list:
    entities = [entity(f"nist:AC-{n}", "control", f"Control {n}", TEXT) for n in range(4)]
    entities += [entity(f"guide:{n}", "guide", f"Guide {n}", TEXT) for n in range(4)]
    entities += [entity("sigma:1", "sigma-rule", "Rule", TEXT), entity("guide:short", "guide", "Short", "Too short.")]
    return choose_documents(entities, {f"guide:{key[1:]}": part for key, part in splits.items()}, [], params)


def test_types_come_in_turn_and_rules_short_texts_and_held_out_ones_do_not() -> None:
    chosen = documents(SynthesizeParams(documents=4))
    assert sorted(one.entity.type for one in chosen) == ["control", "control", "guide", "guide"]
    every = documents(SynthesizeParams(documents=99), g0="heldout", g1="dev")
    assert {one.entity.id for one in every if one.entity.type == "guide"} == {"guide:2", "guide:3"}
    assert len(every) == 6 and documents(SynthesizeParams()) == []


def teacher(evaluation: str = "1: yes\n2: yes\n3: yes") -> Callable[[Request], str | None]:
    """Writes another question at each call."""
    calls: list[str] = []

    def answer(request: Request) -> str | None:
        if request.purpose == "synthesize.evaluate":
            return evaluation
        calls.append(request.purpose)
        word = WORDS[len(calls) - 1]
        question = f"How would {word} change what happens after somebody {word}s the {word} of a plant {len(calls)}?"
        return f"<question>{question}</question><answer>The motor starts all the same, since the {word} is never asked.</answer>"

    return answer


def run(answer: Callable[[Request], str | None], passed: bool = True, **more: object) -> tuple[Outcome, FakeClient]:
    params = SynthesizeParams(documents=1, iterations=4, **more)
    client = FakeClient(answer)
    (document,) = documents(params)
    return asyncio.run(synthesize(document, client, params, load_taxonomy(), passed)), client


def test_a_chain_builds_on_what_was_kept_and_every_row_tells_where_it_comes_from() -> None:
    outcome, client = run(teacher(), self_instruct=0.0)
    assert len(outcome.rows) == 4 and not outcome.rejects
    writes = [request for request in client.requests if request.purpose != "synthesize.evaluate"]
    assert [request.purpose for request in writes] == ["synthesize.self-instruct", *["synthesize.evolve"] * 3]
    assert outcome.rows[2].instruction in writes[3].messages[-1]["content"]
    row = outcome.rows[0]
    assert (
        row.decision == "synthesized"
        and row.split == "train"
        and row.subject == row.entity_ids[0]
        and row.licences == ["CC0-1.0"]
    )
    assert len(row.request_hashes) == 2 and row.labels


def test_the_judge_decides_and_one_that_failed_its_examination_keeps_nothing() -> None:
    outcome, _ = run(teacher("1: yes\n2: yes\n3: no"))
    assert not outcome.rows and {reject.reason for reject in outcome.rejects} == {"not-grounded"}
    outcome, _ = run(teacher(), passed=False)
    assert not outcome.rows and {reject.reason for reject in outcome.rejects} == {"evaluator-uncalibrated"}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "call-failed:server-error"),
        ("I cannot help.", "no-pair"),
        ("<question>What does the text say of pumps and ports?</question><answer>As the text says, it trusts frames.</answer>", "mentions-document"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_a_reject_and_asks_no_judge(reply: str | None, reason: str) -> None:
    outcome, client = run(lambda request: reply)
    assert not outcome.rows and len(outcome.rejects) >= 4
    assert reason in {reject.reason for reject in outcome.rejects}
    assert not any(request.purpose == "synthesize.evaluate" for request in client.requests)


def test_seeds_are_the_first_steps_own_pairs_and_equal_rows_are_one() -> None:
    made = entity("nist:AC-9", "control", "Control 9", TEXT)
    row = make_row("What does control 9 ask for?", "It asks for a check of every frame.")
    row = type(row)(**{name: getattr(row, name) for name in row.__struct_fields__} | {"subject": made.id})
    (document,) = choose_documents([made], {}, [row], SynthesizeParams(documents=1))
    assert [seed.question for seed in document.seeds] == ["What does control 9 ask for?"]
    outcome, _ = run(teacher())
    assert distinct([outcome, outcome]) == sorted(outcome.rows, key=lambda one: one.id)
