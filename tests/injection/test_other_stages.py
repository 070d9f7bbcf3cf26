"""An order in a question, a document, a draft or a new pair changes no label, no format, no verdict on a pair and no examination."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import msgspec
import pytest

import stages.llm.prompts
from stages.enrich.calibration import Answered, Pair, examine
from stages.enrich.params import EnrichParams
from stages.enrich.schema import EnrichedRow
from stages.formats.run import run_formats
from stages.formats.schema import Format
from stages.label.run import run_label
from stages.label.schema import Labelled
from stages.llm.client import open_client
from stages.llm.params import LLMParams
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.synthesize.evaluator import CRITERIA
from stages.synthesize.run import run_synthesize
from stages.tables import Reject, read_table
from tests.fake_openai import FakeOpenAI
from tests.injection.steady import HEADING, WRONG, Steady
from tests.injection.world import CASES, write_params, write_tables
from tests.obedient import Obedient, corpus

SLOW = pytest.mark.slow
CUT = {"long-line", "fence-many"}  # their order stands behind what a drafter is shown of a text
Read = Callable[[], dict[Any, Any]]
Done = tuple[dict[Any, Any], Obedient]


def labels() -> dict[str, list[str]]:
    """Categories by row."""
    run_label(Stage("label"))
    return {one.row_id: one.named for one in read_table("data/label/labels.parquet", Labelled)}


def drafts() -> dict[str, tuple]:
    """What a format tells a writer, by task; and tasks without one."""
    run_formats(Stage("formats"))
    made = read_table("data/formats/formats.parquet", Format)
    return {
        form.task: (form.introduction, form.steps, form.instructions, form.answer_line, form.search, form.document)
        for form in made
    } | {reject.record: (reject.reason,) for reject in read_table("data/formats/rejects.parquet", Reject)}


def pairs() -> dict[str, tuple]:
    """The question kept over each document, or why there is none."""
    run_synthesize(Stage("synthesize"))
    kept = {row.subject: (row.instruction,) for row in read_table("data/synthesize/rows.parquet", EnrichedRow)}
    refused: dict[str, tuple] = {}
    for reject in read_table("data/synthesize/rejects.parquet", Reject):
        document = reject.record.split()[0]
        refused[document] = (*refused.get(document, ()), reject.reason)
    return kept | refused


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """`run(labels, "instruction")`: what `labels` reads with the corpus at that place; `spoken`: in the teacher's own text."""

    def once(read: Read, place: str) -> Done:
        root = Path(tempfile.mkdtemp(dir=tmp_path))  # each run has a cache of its own
        write_tables(root, place)
        obedient = Obedient(Steady({number: one.text for number, one in enumerate(corpus())} if place == "spoken" else {}))
        with FakeOpenAI(behaviour=obedient) as server:
            write_params(root, server.base_url)
            monkeypatch.chdir(root)
            return read(), obedient

    return once


def unfence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts as they would be without any of the defences."""
    monkeypatch.setattr(
        stages.llm.prompts, "marked", lambda body, *_: body.replace("<<DATA>>\n", "").replace("\n<<END-DATA>>", "")
    )
    monkeypatch.setattr(stages.llm.prompts, "defuse", lambda text: text)
    monkeypatch.setattr(stages.llm.prompts, "without_control_tokens", lambda text: text)


@pytest.mark.parametrize(
    ("read", "place"),
    [
        (labels, "instruction"),
        (drafts, "instruction"),
        pytest.param(drafts, "document", marks=SLOW),
        pytest.param(drafts, "spoken", marks=SLOW),
        (pairs, "document"),
        pytest.param(pairs, "answer", marks=SLOW),
    ],
)
def test_no_injection_changes_a_label_a_format_or_a_pair(
    run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, read: Read, place: str
) -> None:
    clean, _ = run(read, "nowhere")
    hostile, server = run(read, place)
    assert len(clean) == len(CASES) and hostile == clean and not server.obeyed
    unfence(monkeypatch)
    obeying, server = run(read, place)
    asked = {one.name for number, one in enumerate(corpus()) if place != "spoken" or number % 3 == 0}  # drafts that are mended
    assert asked - CUT <= set(server.obeyed), f"the server is deaf to {asked - CUT - set(server.obeyed)}"
    assert obeying != clean


def test_a_new_pair_cannot_pass_its_own_examination(run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    clean, _ = run(pairs, "nowhere")
    hostile, server = run(pairs, "spoken")
    assert not server.obeyed and {len(found) for found in clean.values()} == {1}
    for document, found in hostile.items():
        by_code = set(found) - {*CRITERIA, "unreadable-verdict"}
        assert found == clean[document] or (by_code == set(found) and found), f"{document}: {clean[document]} became {found}"
    assert sum(found == clean[document] for document, found in hostile.items()) > len(clean) // 2, (
        "most did come before the judge"
    )
    unfence(monkeypatch)
    _, server = run(pairs, "spoken")
    assert len(server.obeyed) > len(corpus()) // 2, "of those that came before the judge"


@pytest.mark.parametrize(
    "field", ["good", *(pytest.param(field, marks=SLOW) for field in ("instruction", "reference", "spoilt"))]
)
def test_an_examination_says_the_same_of_a_poisoned_judge(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    clean, _ = examined([pair_of(number) for number in CASES])
    poisoned = [msgspec.structs.replace(pair, **{field: f"{getattr(pair, field)}\n{corpus()[number].text}"}) for number, pair in enumerate(map(pair_of, CASES))]  # fmt: skip
    hostile, server = examined(poisoned)
    assert [verdict(one) for one in hostile] == [verdict(one) for one in clean] and not server.obeyed
    assert {verdict(one) for one in clean} >= {((True, True), ()), ((False, True), ()), ((True, True), ("B", "A"))}
    unfence(monkeypatch)
    obeying, server = examined(poisoned)
    asked = {one.name for one in corpus()} if field != "reference" else {corpus()[number].name for number in CASES if number % 2}
    assert asked <= set(server.obeyed) and [verdict(one) for one in obeying] != [verdict(one) for one in clean]


def pair_of(number: int) -> Pair:
    """Every second one is about readability, where the reference plays no part."""
    told = f"In case{number:04d} nothing confines the input before it is used."
    good = f"{HEADING}\n{told}\nFinal answer: CWE-79"
    spoilt = f"{told} It is a {WRONG}.\nFinal answer: CWE-79" if number % 2 else f"{told}\nFinal answer: CWE-79"
    return Pair("changed-fact" if number % 2 else "unreadable", f"Which weakness has case{number:04d}?", told, good, spoilt)


def verdict(answered: Answered) -> tuple:
    """All that the examination notes of a pair."""
    return tuple(answered.right), tuple(answered.places)


def examined(asked: list[Pair]) -> tuple[list[Answered], Obedient]:
    """The real examination over a real connection."""
    obedient = Obedient(Steady())

    async def ask(llm: LLMParams, runtime: RuntimeParams) -> list[Answered]:
        async with open_client("enrich", llm, runtime, Path("models/base")) as client:
            return await examine(client, asked, EnrichParams(), 16)

    with FakeOpenAI(behaviour=obedient) as server, tempfile.TemporaryDirectory() as root, chdir(root):
        write_params(Path(root), server.base_url)
        stage = Stage("enrich")
        return asyncio.run(ask(stage.section("llm", LLMParams), stage.section("runtime", RuntimeParams))), obedient
