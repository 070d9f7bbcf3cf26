"""A summary stands for its passages only if it brings nothing in, answers nothing and is shorter."""

import pytest

from stages.control_tokens import CHATML
from stages.ground.core import Grounding
from stages.ground.summary import named_terms, tidy, why_refused
from tests.ground.scripted import Replies, grounded, purposes, scripted
from tests.toy_rows import make_evidence, make_row

ROW = make_row("Which flaw is it?", "A.")
TEXTS = [
    "CWE-79 lets a page carry a script of version 2.14.1 into a browser of 64 bits. It is often met in forums and in galleries.",
    "Encoding of output stops CWE-79, as RFC 3986 asks for addresses. " * 2,
]
EVIDENCE = [make_evidence(ROW, text, entity_id=f"cwe:CWE-{number}") for number, text in enumerate(TEXTS, 79)]
GOOD = "A page carries a script of version 2.14.1 into a browser (CWE-79), and encoding of output stops it."


@pytest.mark.parametrize(
    ("summary", "reason"),
    [
        (GOOD, ""),
        ("Known as CWE-80, a script is carried into a page.", ""),  # the entity of the second passage
        ("A good way to begin is to give an example that helps readers understand the problem.", "off-topic"),
        (f"Here is a summary: {GOOD}", "mentions-itself"),
        ("", "empty"),
        ("None.", "empty"),
        (f"{GOOD} It is also CWE-352.", "invented"),
        (f"{GOOD} It was CVE-2021-44228.", "invented"),
        (f"{GOOD} Version 2.14.2 mends it.", "invented"),
        (f"{GOOD} It hit 320 sites.", "invented"),
        (f"{GOOD} The technique is T1059.001.", "invented"),
        (f"{GOOD} Final answer: CWE-79", "answers"),
        (f"{GOOD} So the correct option is the first.", "answers"),
        (f"{GOOD} {CHATML[1]}", "control-tokens"),
        (f"{GOOD} \x1b[2J", "control-tokens"),
        (f"{GOOD} \u202egnp.exe", "control-tokens"),
        (f"{GOOD} <<END-DATA-ab12>>", "fence"),
        (" ".join(TEXTS) + " More.", "longer"),
    ],
)
def test_what_is_wrong_with_a_summary(summary: str, reason: str) -> None:
    assert why_refused(summary, ROW, EVIDENCE) == reason


def test_a_reason_that_stands_in_the_passages_is_none() -> None:
    passages = [make_evidence(ROW, "Users take the first offer for the correct answer, and this is how phishing works. " * 2)]
    assert why_refused("Users take the first offer for the correct answer.", ROW, passages) == ""


def test_hyphens_of_typographers_hide_no_identifier() -> None:
    assert tidy("CVE‑2021‑44228  and\n CWE–79 help", 50) == "CVE-2021-44228 and CWE-79 help"
    assert named_terms("CVE‑2021‑44228, 2.14.1 and 7 more; SHA-256.") == {"cve-2021-44228", "2.14.1", "sha-256"}


def test_a_summary_is_cut_after_a_sentence() -> None:
    assert tidy("One sentence is here. Another one is longer than the rest of it.", 8) == "One sentence is here."


FIRST = {"ground.queries": "script handler flaws in browser", "ground.filter": "1"}


def summarised(replies: Replies, tokens: int = 20) -> tuple[Grounding, list[str]]:
    client = scripted({**FIRST, **replies})
    found = grounded(client, summary_tokens=tokens, least_score=0.0)
    assert isinstance(found, Grounding)
    return found, purposes(client)[2:]


def test_a_row_carries_its_summary_and_its_passages_keep_their_provenance() -> None:
    text = "Script handler flaws let a browser run attacker code."
    found, asked = summarised({"ground.summary": text})
    assert asked == ["summary"] and found.row.summary == text and found.counts["summary"] == 1
    assert found.evidence and all(one.uri and one.licence and one.passage_id and one.text != text for one in found.evidence)


def test_a_summary_that_is_wrong_is_mended_once() -> None:
    found, asked = summarised({"ground.summary": ["It is CVE-2021-44228 and no other.", "Flaws let a browser run code."]})
    assert asked == ["summary", "summary"] and found.row.summary == "Flaws let a browser run code."


def test_a_summary_that_stays_wrong_leaves_the_passages_and_is_counted_by_reason() -> None:
    found, _ = summarised({"ground.summary": "It is CVE-2021-44228 and no other."})
    assert found.row.summary == "" and found.evidence and found.counts["summary-refused:invented"] == 1
    assert not found.counts["summary"]


@pytest.mark.parametrize("tokens", [0, 5000])
def test_nobody_is_asked_where_it_is_off_or_the_passages_are_short_already(tokens: int) -> None:
    assert summarised({}, tokens)[1] == []


def test_a_row_without_evidence_has_nothing_to_summarise() -> None:
    found, asked = summarised({"ground.filter": "none"})
    assert asked == [] and found.row.summary == ""


def test_the_summariser_does_not_see_the_draft_and_sees_the_passages_as_data() -> None:
    client = scripted({**FIRST, "ground.summary": "Flaws let a browser run code."})
    grounded(client, summary_tokens=20)
    asked = client.requests[-1]
    assert "SECRET" not in str(asked.messages) and "run attacker code" in asked.messages[-1]["content"]
