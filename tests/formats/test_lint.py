"""The lint passes every committed format and tells an expert what is wrong with a broken one: the sentence, and what to do."""

import time
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from stages.formats import sentences
from stages.formats.library import load_library
from stages.formats.lint import lint, lint_format, overlapping, shared_steps, standing_rules
from stages.formats.schema import Format
from tests.toy_rows import make_format

ROOT = Path(__file__).parents[2]
LIBRARY = load_library()
RULES = list(standing_rules().values())
KEYED = {
    task: declared["key"] != "none"
    for task, declared in YAML(typ="safe", pure=True).load((ROOT / "stages/tasks/tasks.yaml").read_text()).items()
}


def good(**changed: object) -> Format:
    return make_format(**{"instructions": ["Keep sentences short.", *RULES], **changed})


BROKEN = {
    "no introduction": (
        {"introduction": "  "},
        "no-introduction",
        ["The introduction is empty.", "what the task asks for"],
    ),
    "one step": (
        {"steps": ["Name the flaw."]},
        "too-few-steps",
        ["has 1 step, at least 2", "first, next and last"],
    ),
    "no rules": (
        {"instructions": []},
        "no-instructions",
        ["no general rules", "“Do not mention sources"],
    ),
    "no answer line in a checkable task": (
        {"answer_line": ""},
        "no-answer-line",
        ["read", "last line", "Set it to `Final answer: {key}`."],
    ),
    "an answer line that code cannot read": (
        {"answer_line": "Answer: {key}"},
        "bad-answer-line",
        ["“Answer: {key}”", "Write exactly `Final answer: {key}`"],
    ),
    "no rule that the conclusion stays": (
        {"instructions": ["Keep sentences short.", RULES[0]]},
        "no-conclusion-rule",
        ["talk itself into another one", "“The conclusion must equal the given answer"],
    ),
    "no rule against mentioning evidence": (
        {"instructions": ["Keep sentences short.", RULES[1]]},
        "no-evidence-rule",
        ["sources that their reader never sees", "Add the rule “Do not mention sources"],
    ),
    "a step that cites": (
        {"steps": ["Say what happens according to the reference.", "Name the flaw.", "Conclude."]},
        "cites-evidence",
        ["Step 1 “Say what happens according to the reference.”", "Say which fact to state instead."],
    ),
    "a rule that cites": (
        {"instructions": ["Cite the evidence for every claim.", *RULES]},
        "cites-evidence",
        ["Rule 1 “Cite the evidence for every claim.”"],
    ),
    "an id": (
        {"steps": ["State what the description says.", "Compare it with CVE-2021-44228.", "Conclude."]},
        "holds-id",
        ["Step 2 “Compare it with CVE-2021-44228.” holds the id CVE-2021-44228", "describe the case"],
    ),
    "an answer": (
        {"steps": ["State what the description says.", "Name the flaw.", "Conclude with option B."]},
        "holds-answer",
        ["“Conclude with option B.” gives an answer away", "Say how to conclude"],
    ),
    "the conclusion first": (
        {"steps": ["Give the verdict.", "State what the description says.", "Name the flaw."]},
        "steps-out-of-order",
        ["Step 1 “Give the verdict.” concludes before the reasoning is over", "Move it to the end"],
    ),
    "two sentences in a step": (
        {"steps": ["State what it says. Then name the flaw.", "Conclude."]},
        "not-one-sentence",
        ["“State what it says. Then name the flaw.” is not one sentence", "a step of its own"],
    ),
    "steps with numbers of their own": (
        {"steps": ["2. Name the flaw.", "Conclude."]},
        "numbered-step",
        ["brings its own mark “2.”", "the order of the list is the order of the steps"],
    ),
    "the same sentence twice": (
        {"steps": ["Name the flaw.", "NAME the flaw. ", "Conclude."]},
        "repeated-sentence",
        ["Step 2 “NAME the flaw.” says the same as step 1"],
    ),
    "a control token": (
        {"introduction": "Maps it.<|im_end|>"},
        "control-tokens",
        ["The introduction “Maps it.<|im_end|>”", "message of its own"],
    ),
    "layout": (
        {"instructions": ["Put ```yaml fences around rules.", *RULES]},
        "markup",
        ["Rule 1", "holds “```”", "plain sentences"],
    ),
    "a link": (
        {"instructions": ["See https://example.org for more.", *RULES]},
        "markup",
        ["holds “https://”", "links"],
    ),
    "an escape code": (
        {"instructions": ["Be \x1b[31mshort.", *RULES]},
        "markup",
        ["“Be \\x1b[31mshort.”"],
    ),
    "no signature": (
        {"reviewer": ""},
        "approved-without-reviewer",
        ["names no reviewer", "set the status to draft"],
    ),
    "a novel": (
        {"steps": ["Name " + "the very " * 60 + "flaw.", "Conclude."]},
        "long-sentence",
        ["…” has", "at most 320"],
    ),
    "too many steps": (
        {"steps": [f"Do thing {number}." for number in range(9)]},
        "too-many-steps",
        ["9 steps, at most 8", "Join those"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_format_has_one_finding_that_an_expert_understands(name: str) -> None:
    changes, reason, words = BROKEN[name]
    (finding,) = lint(good(**changes), keyed=True)
    assert finding.reason == reason and all(word in finding.message for word in words), finding.message
    assert finding.message.endswith((".", "”")) and all(character.isprintable() for character in finding.message)


@pytest.mark.parametrize("task", LIBRARY)
def test_every_committed_format_passes(task: str) -> None:
    assert [finding.message for finding in lint(LIBRARY[task], keyed=KEYED[task])] == []


def test_every_task_has_an_approved_format_and_no_two_say_the_same() -> None:
    assert set(LIBRARY) == set(KEYED) and {form.status for form in LIBRARY.values()} == {"approved"}
    assert overlapping(LIBRARY.values()) == []


def test_a_free_text_task_wants_no_answer_line() -> None:
    (finding,) = lint(good(), keyed=False)
    assert finding.reason == "needless-answer-line" and "free text" in finding.message
    assert lint(good(answer_line="", instructions=RULES[:1]), keyed=False) == []


def test_without_word_about_the_task_the_answer_line_says_whether_it_is_checkable() -> None:
    assert lint_format(good(instructions=RULES[:1])) == ["no-conclusion-rule"]
    assert lint_format(good(instructions=RULES[:1], answer_line="")) == []


def test_a_format_that_rewrites_nothing_needs_no_steps_but_holds_nothing_foreign() -> None:
    empty = good(rewrite=False, search=False, steps=[], instructions=[], introduction="")
    assert lint(empty, keyed=True) == []
    assert lint_format(msgspec.structs.replace(empty, introduction="Ask https://example.org.")) == ["markup"]


def test_shared_steps_are_counted_against_the_shorter_format() -> None:
    assert shared_steps(["A.", "B.", "C."], [" a.", "b.", "X.", "Y."]) == pytest.approx(2 / 3)
    assert shared_steps([], ["A."]) == 0.0
    forms = [
        good(task=task, steps=steps) for task, steps in (("b", ["A.", "B."]), ("a", ["a.", "C."]), ("c", ["a.", "b.", "C."]))
    ]
    assert overlapping(forms) == [("a", "c", 1.0), ("b", "c", 1.0)]


@pytest.mark.parametrize(
    "text",
    [
        "Name the log sources that carry it, grouped by platform.", "Mention the data source in which it shows.",
        "Name the source address and the port.", "Never name the provided passages.", "Quote the action in your own words.",
        "Describe one kind of evidence and where it is written.", "Avoid citing sources.", "State the reference point of the measure.",
    ],
)  # fmt: skip
def test_words_of_the_field_are_no_citations(text: str) -> None:
    assert not sentences.cites_evidence(text)


@pytest.mark.parametrize(
    "text",
    [
        "Never refer to the provided passages.", "Write without mentioning the evidence.", "Don't quote documents.", "No references.",
        "Avoid citing the reference data.",
    ],
)  # fmt: skip
def test_the_rule_against_evidence_is_known_in_other_words(text: str) -> None:
    assert sentences.forbids_evidence(text) and not sentences.forbids_evidence("Use the evidence. Keep sentences short.")


@pytest.mark.parametrize(
    "text", ["The conclusion equals the original answer's.", "Never change the answer.", "The last line must not change.", "Conclude with the same verdict."]
)  # fmt: skip
def test_the_rule_about_the_conclusion_is_known_in_other_words(text: str) -> None:
    assert sentences.keeps_conclusion(text) and not sentences.keeps_conclusion("Put nothing after the last line.")


@pytest.mark.parametrize(
    "unit", ["do not cite ", "not mention ", "<a ", "{", "final answer ", "list the the ", "AV:N/AC:L/", "answer ", "."]
)
def test_hostile_length_is_read_in_linear_time(unit: str) -> None:
    started = time.process_time()
    lint(good(introduction=unit * (60_000 // len(unit))), keyed=True)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", ["Never invent; cite the evidence for each claim.", "Do not guess: add references at the end."])
def test_a_prohibition_of_something_else_does_not_cover_an_order_to_cite(text: str) -> None:
    assert sentences.cites_evidence(text) and not sentences.forbids_evidence(text)


@pytest.mark.parametrize(
    "text", ["Change the conclusion if the facts say otherwise.", "The verdict may change.", "Keep the key points short."]
)
def test_a_rule_that_lets_the_conclusion_change_does_not_keep_it(text: str) -> None:
    assert not sentences.keeps_conclusion(text)
