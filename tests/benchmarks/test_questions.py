"""What is shown of a text, and which wrong options stand: nothing names the answer, nothing in the text is an option."""

import pytest

from stages.benchmarks.adversarial import hardest
from stages.benchmarks.choice import choice_items
from stages.benchmarks.impact import impact_items
from stages.benchmarks.params import AdversarialParams, BenchmarksParams
from stages.benchmarks.questions import Question, questions_of, shown_text, spellings, tells_nothing
from stages.benchmarks.root_cause import root_cause_items
from stages.graph.schema import HardNegative, Split
from stages.kinds import Kind
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.tables import Reject
from tests.tasks.small_graph import entity, link

NAMED = Kind(name="k", subject="malware", answer="malware", relation="", question="Which?\n{text}")


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("Windows Storage Elevation of Privilege Vulnerability", True),
        ("Windows Domain Name Service Remote Code Execution Vulnerability.", True),
        ("A use after free in the print spooler allows an Elevation of Privilege. Vulnerability of 2020", False),
        ("The parser reads past the buffer. This is a Denial of Service Vulnerability", False),
    ],
)
def test_a_title_that_names_only_an_impact_asks_nothing(text: str, nothing: bool) -> None:
    assert tells_nothing(text) is nothing
    hole = entity("cve:CVE-2020-1", "vulnerability", "CVE-2020-1", text)
    flaw = entity("cwe:CWE-9", "weakness", "Forgotten Pointer", "A pointer is kept.")
    graph = Knowledge([hole, flaw], [link(hole.id, "instance-of", flaw.id)], [Split(entity_id=hole.id, split="heldout")])
    assert bool(root_cause_items(graph, BenchmarksParams())[0]) is not nothing


def test_the_hyphens_of_a_name_do_not_give_it_away() -> None:
    assert {"divide-by-zero", "out of bounds read"} <= set(spellings(["divide by zero", "out-of-bounds read"]))
    hole = entity("cve:CVE-2020-2", "vulnerability", "CVE-2020-2", "A divide-by-zero error in the size check stops the service.")
    flaw = entity("cwe:CWE-369", "weakness", "Divide By Zero", "A value is divided by zero.")
    graph = Knowledge([hole, flaw], [link(hole.id, "instance-of", flaw.id)], [Split(entity_id=hole.id, split="heldout")])
    items, rejects = root_cause_items(graph, BenchmarksParams())
    assert not items and [one.reason for one in rejects] == ["names-the-weakness"]
    assert shown_text(graph, hole, [flaw], 90) == ""


def test_a_rule_named_after_a_vulnerability_shows_its_purpose_only() -> None:
    text = "Detects a consent dialogue that starts a browser with the rights of the system."
    rule = entity("sigma:1", "sigma-rule", "Exploiting CVE-2019-1388", text)
    other = entity("sigma:2", "sigma-rule", "Odd browser start", text)
    graph = Knowledge([rule, other], [], [])
    assert shown_text(graph, rule, [], 90) == text and shown_text(graph, other, [], 90) == f"Odd browser start: {text}"


def _malware() -> Knowledge:
    texts = {
        "Redfox": "A banking trojan of a gang from Brazil that targets customers of banks in Mexico. Its variants include Bluefox.",
        "Bluefox": "A banking trojan that a gang from Brazil wrote for thefts from customers of banks.",
        "Greenfox": "A trojan for banking fraud of customers in Mexico and Portugal.",
        "Greyfox": "A banking trojan for customers in Brazil with an overlay of windows.",
        "Whitefox": "An overlay trojan that targets banks.",
        "Stone": "A wiper that erases the boot sector of power stations.",
    }
    made = [entity(f"attack:S{n}", "malware", name, text) for n, (name, text) in enumerate(texts.items())]
    return Knowledge(made, [], [Split(entity_id="attack:S0", split="heldout")])


def test_wrong_options_are_told_alike_and_not_named_in_the_text() -> None:
    (one,) = questions_of(_malware(), NAMED, 90)
    assert isinstance(one, Question)
    assert "Bluefox" not in one.ask.hard and set(one.ask.hard[:5]) >= {"Greenfox", "Greyfox", "Whitefox"}


def test_hard_negatives_go_before_names_that_share_words() -> None:
    kind = Kind(name="k", subject="vulnerability", answer="weakness", relation="instance-of", question="Which?\n{text}")
    hole = entity("cve:CVE-2020-3", "vulnerability", "CVE-2020-3", "The management console keeps the session of a user for ever.")
    flaws = [entity(f"cwe:CWE-{n}", "weakness", f"Console Management Flaw {n}", "A flaw.") for n in range(1, 8)]
    held = entity("cve:CVE-2019-1", "vulnerability", "CVE-2019-1", "Another hole.")
    links = [link(hole.id, "instance-of", "cwe:CWE-1"), *(link(held.id, "instance-of", one.id) for one in flaws)]
    negative = HardNegative(subject=hole.id, relation="instance-of", object="cwe:CWE-7", similarity=0.9)
    graph = Knowledge([hole, held, *flaws], links, [Split(entity_id=hole.id, split="heldout")], [negative])
    (one,) = questions_of(graph, kind, 90)
    assert isinstance(one, Question) and one.ask.hard[0] == "Console Management Flaw 7"


def test_a_weakness_too_wide_to_map_to_is_no_option() -> None:
    kind = Kind(name="k", subject="vulnerability", answer="weakness", relation="instance-of", question="Which?\n{text}")
    wide = entity("cwe:CWE-20", "weakness", "Vague Handling", "A flaw.", mapping={"usage": "Discouraged"})
    flaws = [entity(f"cwe:CWE-{n}", "weakness", f"Narrow Flaw {n}", "A flaw.") for n in range(30, 35)]
    holes = [
        entity(f"cve:CVE-2020-{n}", "vulnerability", f"CVE-2020-{n}", "The console keeps the session of a user for ever.")
        for n in range(6)
    ]
    links = [link(hole.id, "instance-of", flaw.id) for hole, flaw in zip(holes, [wide, *flaws], strict=True)]
    graph = Knowledge([wide, *flaws, *holes], links, [Split(entity_id=hole.id, split="heldout") for hole in holes])
    found = [one for one in questions_of(graph, kind, 90) if isinstance(one, Question)]
    assert {one.subject for one in found} == {hole.id for hole in holes[1:]}
    assert not any("Vague Handling" in (*one.options, *one.ask.hard, *one.ask.reserve) for one in found)


def test_an_answer_is_asked_as_often_as_its_kind_allows() -> None:
    kind = Kind(name="k", subject="vulnerability", answer="weakness", relation="instance-of", per_answer=2, question="W?\n{text}")
    flaws = [entity(f"cwe:CWE-{n}", "weakness", f"Flaw of kind {n}", "A flaw.") for n in range(1, 6)]
    words = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "jetty")
    holes = [
        entity(f"cve:CVE-2020-{n}", "vulnerability", f"CVE-2020-{n}", f"The {word} server forgets its {word} session.")
        for n, word in enumerate(words)
    ]
    links = [link(hole.id, "instance-of", flaws[0 if n < 6 else n - 5].id) for n, hole in enumerate(holes)]
    graph = Knowledge([*flaws, *holes], links, [Split(entity_id=hole.id, split="heldout") for hole in holes])
    items, rejects = choice_items(graph, [kind], "secforge-mcq", BenchmarksParams())
    rights = [item.options["ABCD".index(item.key[0])] for item in items]
    assert items and rights.count("Flaw of kind 1") <= 2
    assert sum(one.reason == "answer-asked-often" for one in rejects if isinstance(one, Reject)) == 4


def test_every_question_gets_three_candidates_before_one_gets_more() -> None:
    names = [f"Name {n}" for n in range(6)]
    asked = [
        Question(
            kind="k",
            subject=f"s{n}",
            text="Words.",
            options=[f"Right {n}"],
            ask=Ask(key=f"s{n}", right=f"Right {n}", barred=frozenset(), hard=names),
            ids={name: name for name in names},
            entities=[f"s{n}"],
        )
        for n in range(2)
    ]
    found = hardest(asked, {"k": "{text}"}, lambda prompts: [(0.0, 0.0)] * len(prompts), AdversarialParams(candidates=6))
    assert len(found) == 2 and all(len(one.options) == 4 for one in found)


def test_impacts_that_include_each_other_are_no_wrong_options() -> None:
    listed = [
        "DoS: Resource Consumption (CPU)",
        "Read Memory",
        "Hide Activities",
        "Modify Memory",
        "DoS: Resource Consumption (Other)",
    ]
    flaws = [
        entity(
            f"cwe:CWE-{n}",
            "weakness",
            f"Flaw {n}",
            f"The product number {n} forgets what it was told about the item.",
            consequences=[{"impacts": [impact]}],
        )
        for n, impact in enumerate(listed * 2)
    ]
    graph = Knowledge(flaws, [], [Split(entity_id=one.id, split="heldout") for one in flaws])
    items, _ = impact_items(graph, BenchmarksParams())
    rights = {item.id: item.options["ABCD".index(item.key[0])] for item in items}
    consuming = [item for item in items if "DoS" in rights[item.id]]
    assert consuming and all(sum("DoS" in option for option in item.options) == 1 for item in consuming)
