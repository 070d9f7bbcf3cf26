"""Own benchmarks: only held-out subjects, balanced letters, keys as in the graph, fair prefixes."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from stages.benchmarks.items import build_items, summarise
from stages.benchmarks.params import SIZES, BenchmarksParams
from stages.benchmarks.schema import BenchmarkItem
from stages.graph.schema import HardNegative, Split
from stages.ingest.schema import Entity
from stages.kinds import load_kinds
from stages.knowledge import Knowledge
from stages.tables import file_sha256, write_table
from tests.tasks.small_graph import entity, link, small_knowledge, small_tables


def no_model(prompts: Sequence[str]) -> list[tuple[float, float]]:
    """A scorer that finds every option equally hard."""
    return [(0.7, 0.7) for _ in prompts]


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return small_knowledge()


@pytest.fixture(scope="module")
def items(knowledge) -> list[BenchmarkItem]:
    return build_items(knowledge, load_kinds(), BenchmarksParams(), no_model)[0]


def of(items: list[BenchmarkItem], benchmark: str) -> list[BenchmarkItem]:
    return [item for item in items if item.benchmark == benchmark]


def test_every_subject_is_held_out(items, knowledge) -> None:
    assert items and all(knowledge.split(item.subject) == "heldout" for item in items)


def test_every_kind_is_asked_in_every_prefix(items) -> None:
    asked = [item.task for item in of(items, "secforge-mcq")]
    kinds = {kind.name for kind in load_kinds() if kind.benchmark == "secforge-mcq"}
    assert set(asked[: len(kinds)]) == kinds
    assert max(Counter(asked).values()) - min(Counter(asked).values()) <= 4


@pytest.mark.parametrize("prefix", [8, 12, 10_000])
def test_letters_are_exactly_balanced(items, prefix: int) -> None:
    counts = Counter(item.key[0] for item in of(items, "secforge-mcq")[:prefix])
    assert len(set(counts.values())) == 1 and set(counts) == set("ABCD")


def test_the_question_holds_text_and_options_and_the_key_is_the_only_right_one(items, knowledge) -> None:
    for item in of(items, "secforge-mcq"):
        assert all(f"{letter}. {option}\n" in item.question for letter, option in zip("ABCD", item.options, strict=True))
        if item.task == "technique-mitigation":
            right = {one.name for one in knowledge.subjects(item.subject, "mitigates", "mitigation")}
            assert [letter for letter, option in zip("ABCD", item.options, strict=True) if option in right] == item.key


def test_a_question_does_not_name_its_answer(items) -> None:
    for item in of(items, "secforge-mcq"):
        stem = item.question[: item.question.index("\nA. ")]
        assert item.options["ABCD".index(item.key[0])].lower() not in stem.lower()


def test_root_cause_keys_are_all_weaknesses_of_the_vulnerability(items, knowledge) -> None:
    for item in of(items, "secforge-rcm"):
        assert set(item.key) == {
            one.id.removeprefix("cwe:") for one in knowledge.objects(item.subject, "instance-of", "weakness")
        }
        assert not set(item.key) & set(item.question.split())


def test_a_text_that_names_its_weakness_is_rejected() -> None:
    knowledge = Knowledge(
        entities=[entity("cwe:CWE-1", "weakness", "Use After Free"), entity("cve:CVE-2020-1", "vulnerability", "CVE-2020-1", "There is a use after free in it.")],
        links=[link("cve:CVE-2020-1", "instance-of", "cwe:CWE-1")],
        splits=[Split(entity_id="cve:CVE-2020-1", split="heldout")],
    )  # fmt: skip
    items, rejects = build_items(knowledge, [], BenchmarksParams(), no_model)
    assert not items and [reject.reason for reject in rejects] == ["names-the-weakness"]


def test_caps_keep_the_head_of_the_uncapped_order(items, knowledge) -> None:
    few, _ = build_items(
        knowledge,
        load_kinds(),
        BenchmarksParams(max_items=dict.fromkeys(SIZES, 0) | {"secforge-mcq": 8, "secforge-rcm": 2}),
        no_model,
    )
    asked = [*of(items, "secforge-mcq")[:8], *of(items, "secforge-rcm")[:2]]
    assert [(item.task, item.subject) for item in few] == [(item.task, item.subject) for item in asked]


def test_figures_say_how_far_the_labels_were_trained(items, knowledge) -> None:
    figures = summarise(items, [], knowledge, head=8)["secforge-rcm"]
    assert sum(figures["label_in_train"].values()) == figures["items"] == len(of(items, "secforge-rcm"))
    assert 0 < figures["most_frequent_key"]["share"] <= 1


def test_another_order_of_records_gives_the_same_bytes(tmp_path, items) -> None:
    tables = small_tables()
    for table in tables.values():
        random.Random(2).shuffle(table)
    again, _ = build_items(Knowledge(**tables), load_kinds(), BenchmarksParams(), no_model)
    for name, table in (("one", items), ("two", again)):
        write_table(tmp_path / name, table, BenchmarkItem)
    assert file_sha256(tmp_path / "one") == file_sha256(tmp_path / "two")


def test_an_empty_graph_gives_no_items(knowledge) -> None:
    empty: list[Entity] = []
    items, rejects = build_items(Knowledge(empty, [], []), load_kinds(), BenchmarksParams(), no_model)
    assert not items and not rejects
    assert summarise(items, rejects, knowledge, 8)["secforge-mcq"]["items"] == 0


def test_one_item_per_question_and_none_whose_answer_depends_on_the_unseen_subject() -> None:
    text = "A crafted font file makes the viewer write past the end of a glyph table while it loads the page."
    other = "A relative link in the upload form lets a visitor read configuration outside the shared folder."
    entities = [entity("cwe:CWE-901", "weakness", "Glyph Table Overrun"), entity("cwe:CWE-902", "weakness", "Folder Escape")]
    entities += [entity(f"cve:CVE-2099-000{n}", "vulnerability", f"CVE-2099-000{n}", text) for n in (1, 2)]
    entities += [entity(f"cve:CVE-2099-000{n}", "vulnerability", f"CVE-2099-000{n}", other) for n in (3, 4)]
    links = [link(f"cve:CVE-2099-000{n}", "instance-of", "cwe:CWE-901") for n in (1, 2, 3)]
    links.append(link("cve:CVE-2099-0004", "instance-of", "cwe:CWE-902"))
    splits = [Split(entity_id=f"cve:CVE-2099-000{n}", split="heldout") for n in (1, 2, 3, 4)]
    items, rejects = build_items(Knowledge(entities, links, splits), load_kinds(), BenchmarksParams(), no_model)
    assert [text in item.question for item in of(items, "secforge-rcm")] == [True]
    assert sorted(reject.reason for reject in rejects if reject.source == "secforge-rcm") == [
        "ambiguous-key", "ambiguous-key", "same-question",
    ]  # fmt: skip


def test_a_guesser_that_reads_only_the_names_of_options_stays_near_chance() -> None:
    draw = random.Random(5)
    safeguards = [entity(f"attack:M{place}", "mitigation", f"Safeguard {place}") for place in range(20)]
    techniques = [
        entity(f"attack:T{place}", "technique", f"Behaviour {place}", f"Adversaries do thing {place} to a host.")
        for place in range(160)
    ]
    pairs = {(f"attack:M{min(int(draw.expovariate(0.3)), 19)}", one.id) for one in techniques for _ in range(2)}
    links = [link(measure, "mitigates", technique) for measure, technique in sorted(pairs)]
    splits = [Split(entity_id=one.id, split="heldout") for one in techniques]
    negatives = [
        HardNegative(subject=one.id, relation="^mitigates", object=f"attack:M{place}", similarity=0.9)
        for one in techniques
        for place in (17, 18, 19)
    ]
    knowledge = Knowledge([*safeguards, *techniques], links, splits, negatives)
    kinds = [kind for kind in load_kinds() if kind.name == "technique-mitigation"]
    items, rejects = build_items(knowledge, kinds, BenchmarksParams(), no_model)
    assert len(items) >= 60
    assert summarise(items, rejects, knowledge, head=8)["secforge-mcq"]["option_prior"]["technique-mitigation"] <= 0.35


def test_a_text_of_which_little_is_left_and_a_text_asked_before_are_no_questions() -> None:
    entities = [entity(f"cwe:CWE-{n}", "weakness", f"Slip {n} ('Glyph Overrun')") for n in range(1, 6)]
    long = "The viewer of fonts trusts a length field in every page that it loads from the net."
    texts = {1: "Has a glyph overrun here.", 2: long, 3: long}
    entities += [entity(f"cve:CVE-2099-000{n}", "vulnerability", f"CVE-2099-000{n}", text) for n, text in texts.items()]
    links = [link(f"cve:CVE-2099-000{n}", "instance-of", f"cwe:CWE-{n}") for n in texts]
    links += [link(f"cve:CVE-2099-000{n}", "instance-of", "cwe:CWE-1") for n in (2, 3)]
    entities += [entity(f"cve:CVE-2098-000{n}", "vulnerability", "x", "A text.") for n in (4, 5)]
    links += [link(f"cve:CVE-2098-000{n}", "instance-of", f"cwe:CWE-{n}") for n in (4, 5)]
    splits = [Split(entity_id=f"cve:CVE-2099-000{n}", split="heldout") for n in texts]
    kinds = [kind for kind in load_kinds() if kind.name == "cve-weakness"]
    items, rejects = build_items(Knowledge(entities, links, splits), kinds, BenchmarksParams(), no_model)
    found = {(reject.record, reject.reason) for reject in rejects if reject.source == "cve-weakness"}
    assert found == {("cve:CVE-2099-0001", "no-text"), ("cve:CVE-2099-0003", "same-question")}
    assert not of(items, "secforge-mcq")  # one question, and letters come in fours
