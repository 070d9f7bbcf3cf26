"""The benchmarks beside secforge-mcq and secforge-rcm: what is right is right, what is wrong is wrong, letters are even."""

from collections import Counter

import pytest

from stages.benchmarks.choice import choice_items
from stages.benchmarks.impact import impact_items, impacts_of
from stages.benchmarks.params import BenchmarksParams
from stages.benchmarks.relations import relation_items
from stages.benchmarks.root_cause import root_cause_items
from stages.errors import ParamsError
from stages.graph.schema import Split
from stages.ingest.schema import Entity
from stages.kinds import load_kinds
from stages.knowledge import Knowledge
from tests.tasks.small_graph import entity, link

IMPACTS = ("Read Files", "Crash", "Run Code", "Gain Rights", "Hide Activities", "Other")


def techniques(count: int, part: str, start: int = 0) -> tuple[list[Entity], list[Split]]:
    made = [
        entity(f"attack:T{place:04}", "technique", f"Behaviour {place}", f"An adversary turns dial number {place} to hide.")
        for place in range(start, start + count)
    ]
    return made, [Split(entity_id=one.id, split=part) for one in made]


def test_a_subject_is_asked_as_often_as_its_kind_allows_each_time_with_another_right_option() -> None:
    asked, splits = techniques(8, "heldout")
    others, _ = techniques(8, "train", start=8)
    measures = [entity(f"attack:M{place}", "mitigation", f"Safeguard {place}") for place in range(16)]
    links = [link(f"attack:M{(t + n * 3) % 16}", "mitigates", f"attack:T{t:04}") for t in range(16) for n in range(5)]
    knowledge = Knowledge([*asked, *others, *measures], links, splits)
    items, _ = choice_items(knowledge, load_kinds(), "secforge-detect-mitigate", BenchmarksParams())
    times = Counter(item.subject for item in items)
    assert len(items) % 4 == 0 and items and max(times.values()) <= 5
    assert len(set(Counter(item.key[0] for item in items).values())) == 1
    rights = [(item.subject, item.options["ABCD".index(item.key[0])]) for item in items]
    assert len(set(rights)) == len(rights)
    for item in items:
        linked = {one.name for one in knowledge.subjects(item.subject, "mitigates", "mitigation")}
        assert [letter for letter, option in zip("ABCD", item.options, strict=True) if option in linked] == item.key


def test_an_impact_is_asked_of_held_out_weaknesses_and_the_wrong_ones_are_not_listed() -> None:
    weaknesses = []
    for place in range(30):
        chosen = [IMPACTS[place % 5], IMPACTS[(place + 2) % 5], "Other"]
        text = f"The product forgets to check dial {place} before it turns the big wheel in the cellar."
        weaknesses.append(entity(f"cwe:CWE-{place}", "weakness", f"Slip {place}", text, consequences=[{"impacts": chosen}]))
    splits = [Split(entity_id=one.id, split="heldout" if place % 2 else "train") for place, one in enumerate(weaknesses)]
    knowledge = Knowledge(weaknesses, [], splits)
    items, _ = impact_items(knowledge, BenchmarksParams())
    assert len(items) >= 12 and len(set(Counter(item.key[0] for item in items).values())) == 1
    for item in items:
        listed = impacts_of(knowledge.entities[item.subject])
        assert knowledge.split(item.subject) == "heldout" and "Other" not in item.options
        assert [letter for letter, option in zip("ABCD", item.options, strict=True) if option in listed] == item.key


def relations() -> Knowledge:
    asked, splits = techniques(6, "heldout")
    others, _ = techniques(6, "train", start=6)
    groups = [entity(f"attack:G{place}", "group", f"Group {place}", "A group.") for place in range(4)]
    links = [
        link(
            f"attack:G{g}",
            "uses",
            one.id,
            f"Group {g} has turned the handle of {one.name} with tool number {one.id[-2:]} in the night.",
        )
        for g in range(4)
        for one in (*asked, *others)
    ]
    return Knowledge([*asked, *others, *groups], links, splits)


def test_one_of_two_statements_is_about_the_asked_link_and_neither_names_its_technique() -> None:
    knowledge = relations()
    items, _ = relation_items(knowledge, load_kinds(), BenchmarksParams())
    letters = Counter(item.key[0] for item in items)
    assert len(items) == 24 and letters["A"] == letters["B"] == 12
    for item in items:
        assert len(item.options) == 2 and not any("Behaviour" in option for option in item.options)


def test_an_entity_without_another_link_has_no_wrong_statement() -> None:
    asked, splits = techniques(1, "heldout")
    group = entity("attack:G1", "group", "Group 1", "A group.")
    text = "Group 1 has turned the handle in the night with tool number seven."
    items, rejects = relation_items(
        Knowledge([*asked, group], [link("attack:G1", "uses", asked[0].id, text)], splits), load_kinds(), BenchmarksParams()
    )
    assert not items and [reject.reason for reject in rejects] == ["few-distractors"]


def causes(recent_split: str) -> Knowledge:
    flaws = [entity("cwe:CWE-1", "weakness", "Broken Dial"), entity("cwe:CWE-2", "weakness", "Loose Wheel")]
    old = entity("cve:CVE-2031-1", "vulnerability", "CVE-2031-1", "The pump of the old engine leaks oil into the big hall.")
    new = entity("cve:CVE-2032-1", "vulnerability", "CVE-2032-1", "The valve of the new engine lets anybody read the gauge.")
    dated = [
        Entity(**{f: getattr(one, f) for f in one.__struct_fields__} | {"published": day})
        for one, day in ((old, "2031-01-01"), (new, "2032-02-02"))
    ]
    ticket = entity(
        "ticket:a/1", "ticket", "Bug 1", "When I press the red button twice the whole page shows my neighbour's mail."
    )
    links = [link(dated[0].id, "instance-of", "cwe:CWE-1"), link(dated[1].id, "instance-of", "cwe:CWE-2")]
    links.append(link("ticket:a/1", "shows", "cwe:CWE-2"))
    parts = {dated[0].id: "heldout", dated[1].id: recent_split, "ticket:a/1": "heldout"}
    return Knowledge([*flaws, *dated, ticket], links, [Split(entity_id=id, split=part) for id, part in parts.items()])


def test_later_vulnerabilities_and_tickets_are_benchmarks_of_their_own() -> None:
    items, _ = root_cause_items(causes("heldout"), BenchmarksParams(temporal_after="2032-01-01"))
    assert {item.benchmark: (item.subject, item.key) for item in items} == {
        "secforge-rcm": ("cve:CVE-2031-1", ["CWE-1"]),
        "secforge-rcm-temporal": ("cve:CVE-2032-1", ["CWE-2"]),
        "secforge-ticket-cwe": ("ticket:a/1", ["CWE-2"]),
    }


def test_a_later_vulnerability_that_is_trained_on_is_an_error() -> None:
    with pytest.raises(ParamsError, match=r"CVE-2032-1[\s\S]*graph.split.heldout_after"):
        root_cause_items(causes("train"), BenchmarksParams(temporal_after="2032-01-01"))


def test_root_cause_items_bear_the_name_of_the_task_that_trains_them() -> None:
    from stages.tasks.catalogue import load_catalogue

    items, _ = root_cause_items(causes("heldout"), BenchmarksParams())
    names = {task.name for task in load_catalogue() if task.key == "cwe"}
    assert {item.task for item in items} == {"cve-to-cwe", "ticket-weakness"} <= names
