"""An order in evidence, question, answer, format, document or rewrite changes nothing that grounding and enrichment decide."""

from collections.abc import Callable
from pathlib import Path

import pytest

import stages.llm.prompts
from stages.enrich.checks import CHECK_MEANINGS
from tests.fake_openai import FakeOpenAI
from tests.injection.steady import Steady
from tests.injection.world import CASES, PLACES, Outcome, evidence_of, ground_and_enrich, write_params, write_tables
from tests.obedient import Obedient, corpus

OF_THE_JUDGE = {"unsupported-claim", "less-readable", "not-factual", "judge-unparsed", "judge-not-calibrated", "call-failed"}
OWN_TEXT = {"instruction", "answer", "rewrite"}  # here the row itself is another one: a check by code may refuse it
RUNS = [  # True: with everything that may be on
    *((place, False) for place in PLACES),
    *(pytest.param(place, True, marks=pytest.mark.slow) for place in PLACES),
]
CONTROLS = ["evidence", *(pytest.param(place, marks=pytest.mark.slow) for place in PLACES[1:])]
Run = Callable[..., tuple[dict[int, Outcome], Obedient]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("evidence")`: the outcomes with the corpus at that place, and the server's memory; any other name: none."""

    def once(place: str, everything: bool = False) -> tuple[dict[int, Outcome], Obedient]:
        root = tmp_path / place
        root.mkdir()
        spoken = {number: one.text for number, one in enumerate(corpus())} if place == "rewrite" else {}
        obedient = Obedient(Steady(spoken))
        write_tables(root, place)
        with FakeOpenAI(behaviour=obedient) as server:
            write_params(root, server.base_url, everything=everything)
            return ground_and_enrich(root, monkeypatch), obedient

    return once


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, dict[int, Outcome]]:
    """The outcomes without any injection, with and without everything that may be on."""
    found = {}
    for everything in (False, True):
        root = tmp_path_factory.mktemp("clean")
        write_tables(root, "nowhere")
        with pytest.MonkeyPatch.context() as patch, FakeOpenAI(behaviour=Obedient(Steady())) as server:
            write_params(root, server.base_url, everything=everything)
            found[everything] = ground_and_enrich(root, patch)
    return found


def test_the_corpus_is_large_and_each_entry_is_heard_by_one_who_listens() -> None:
    assert len(corpus()) >= 60 and len({one.kind for one in corpus()}) >= 10
    for one in corpus():
        server = Obedient(lambda _: "### 1. a\nx\n### 2. b\ny\n### 3. c\nz\nFinal answer: B", [one])
        obeyed = server([{"role": "user", "content": one.text}])
        assert server.obeyed == {one.name: 1} and obeyed != "### 1. a\nx\n### 2. b\ny\n### 3. c\nz\nFinal answer: B", one.name


def test_the_cases_are_of_every_sort(clean: dict[bool, dict[int, Outcome]]) -> None:
    for everything, outcomes in clean.items():
        reasons = {reason for outcome in outcomes.values() for reason in outcome.reasons}
        assert {outcome.decision for outcome in outcomes.values()} == {"rewritten", "template"}
        assert reasons >= {"key-changed", "not-factual", "less-readable"} and ("unsupported-claim" in reasons) == everything
        assert {len(outcome.kept_queries) for outcome in outcomes.values()} >= ({1, 2, 3} if everything else {1, 2})
        assert all(outcome.documents and bool(outcome.summary) == everything for outcome in outcomes.values())


@pytest.mark.parametrize(("place", "everything"), RUNS)
def test_no_injection_changes_a_decision(
    run: Run, clean: dict[bool, dict[int, Outcome]], tmp_path: Path, place: str, everything: bool
) -> None:
    hostile, server = run(place, everything)
    assert not server.obeyed
    for number, one in enumerate(corpus()):
        before, after = clean[everything][number], hostile[number]
        if after != before:
            assert place in OWN_TEXT, f"{one.name} in {place} changed {before} to {after}"
            added = set(after.reasons) - set(before.reasons)
            assert added and added <= set(CHECK_MEANINGS) - OF_THE_JUDGE, f"{one.name} in {place}: {after.reasons}"
            kept = {"decision": after.decision, "key": after.key, "reasons": after.reasons}
            assert after == before._replace(**kept) and after.decision == "template"
    if place in ("evidence", "document"):
        shown = evidence_of(tmp_path / place)
        assert all(
            any(part.strip()[:40] in text for text in shown[number]) for number in CASES for part in corpus()[number].parts
        )


@pytest.mark.parametrize("place", CONTROLS)
def test_without_fences_every_injection_is_obeyed(
    run: Run, clean: dict[bool, dict[int, Outcome]], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(
        stages.llm.prompts, "marked", lambda body, *_: body.replace("<<DATA>>\n", "").replace("\n<<END-DATA>>", "")
    )
    monkeypatch.setattr(stages.llm.prompts, "defuse", lambda text: text)
    monkeypatch.setattr(stages.llm.prompts, "without_control_tokens", lambda text: text)
    hostile, server = run(place)
    deaf = {one.name for one in corpus()} - set(server.obeyed)
    assert not deaf, f"never obeyed in {place}: {sorted(deaf)}"
    unmoved = [one.name for number, one in enumerate(corpus()) if hostile[number] == clean[False][number]]
    assert len(unmoved) <= len(corpus()) // 10, f"obeyed without effect in {place}: {unmoved}"


@pytest.mark.parametrize(("layer", "kind"), [("defuse", "fence"), ("without_control_tokens", "chat-template")])
def test_each_layer_is_needed(run: Run, monkeypatch: pytest.MonkeyPatch, layer: str, kind: str) -> None:
    monkeypatch.setattr(stages.llm.prompts, layer, lambda text: text)
    _, server = run("evidence")
    of_kind = {one.name for one in corpus() if one.kind == kind}
    assert len(of_kind & set(server.obeyed)) >= 0.7 * len(of_kind), f"{layer}: {sorted(of_kind - set(server.obeyed))}"
