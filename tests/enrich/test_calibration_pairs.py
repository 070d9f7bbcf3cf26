"""The hand-written pairs: enough of each kind, no two alike, and spoilt in exactly the way they say, as far as code can tell."""

import re
from collections import Counter
from statistics import median

import pytest

from stages.answers import KINDS, final_keys
from stages.control_tokens import has_control_tokens
from stages.enrich.calibration import LONGER, Pair, load_pairs
from stages.enrich.checks import loops, mentions_evidence, prose_words
from stages.enrich.identifiers import ids_in
from tests.toy_rows import make_row

PAIRS = load_pairs(0)
SPOILT_BY = ["lost-fact", "changed-fact", "flipped-verdict", "new-id", "unreadable"]
HEADING = re.compile(r"^(?:#|- |\*\*|\d\. )", re.MULTILINE)


def of(kind: str) -> list[Pair]:
    return [pair for pair in PAIRS if pair.spoilt_by == kind]


def stated(text: str) -> list[list[str]]:
    """The final answer, read as every kind of key."""
    return [final_keys(kind, text) for kind in KINDS]


@pytest.mark.parametrize("kind", SPOILT_BY)
def test_each_kind_has_forty_pairs_of_about_equal_length(kind: str) -> None:
    ratios = [len(pair.spoilt) / len(pair.good) for pair in of(kind)]
    assert len(ratios) >= 40 and 0.8 <= median(ratios) <= 1.25


def test_about_half_of_the_lost_facts_leave_the_length_as_it_was() -> None:
    padded = [len(pair.spoilt) > 0.95 * len(pair.good) for pair in of("lost-fact")]
    assert 0.4 * len(padded) <= sum(padded) <= 0.7 * len(padded)


@pytest.mark.parametrize("readability", [False, True])
def test_the_good_text_is_sometimes_the_longer_and_sometimes_the_shorter_one(readability: bool) -> None:
    pairs = [pair for pair in PAIRS if (pair.spoilt_by == "unreadable") == readability]
    longer = sum(len(pair.good) >= LONGER * len(pair.spoilt) for pair in pairs)
    shorter = sum(len(pair.spoilt) >= LONGER * len(pair.good) for pair in pairs)
    assert min(longer, shorter) >= 8, "no length bias could be computed"


@pytest.mark.parametrize("field", ["instruction", "reference", "good", "spoilt"])
def test_no_text_occurs_twice(field: str) -> None:
    texts = Counter(" ".join(getattr(pair, field).lower().split()) for pair in PAIRS)
    assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.instruction[:40])
def test_the_good_text_passes_what_code_can_check(pair: Pair) -> None:
    row = make_row(instruction=pair.instruction, answer=pair.reference)
    assert stated(pair.good) == stated(pair.reference)
    assert ids_in(pair.reference) <= ids_in(pair.good) <= ids_in(f"{pair.instruction}\n{pair.reference}")
    assert not loops(pair.good) and not mentions_evidence(pair.good, row) and not has_control_tokens(pair.good)
    assert 15 <= len(pair.good.split()) <= 160 and prose_words(pair.good) >= 0.6 * prose_words(pair.reference)


@pytest.mark.parametrize("pair", of("flipped-verdict"), ids=lambda pair: pair.instruction[:40])
def test_a_flipped_verdict_is_another_key(pair: Pair) -> None:
    keys = list(zip(stated(pair.good), stated(pair.spoilt), strict=True))
    assert any(good and spoilt and set(good) != set(spoilt) for good, spoilt in keys)


@pytest.mark.parametrize("pair", of("new-id"), ids=lambda pair: pair.instruction[:40])
def test_a_new_id_stands_in_neither_question_nor_reference(pair: Pair) -> None:
    assert ids_in(pair.spoilt) - ids_in(f"{pair.instruction}\n{pair.reference}")


@pytest.mark.parametrize("pair", [*of("lost-fact"), *of("changed-fact")], ids=lambda pair: pair.instruction[:40])
def test_a_spoilt_fact_leaves_verdict_and_vocabulary(pair: Pair) -> None:
    assert stated(pair.spoilt) == stated(pair.good) and pair.spoilt != pair.good
    assert ids_in(pair.spoilt) <= ids_in(pair.good)


@pytest.mark.parametrize("pair", of("unreadable"), ids=lambda pair: pair.instruction[:40])
def test_an_unreadable_text_names_the_same_and_is_about_as_long(pair: Pair) -> None:
    assert ids_in(pair.spoilt) == ids_in(pair.good) and stated(pair.spoilt) == stated(pair.good)
    assert 0.6 <= len(pair.spoilt) / len(pair.good) <= 1.6


def test_every_form_of_answer_occurs() -> None:
    forms = {
        kind: sum(bool(final_keys(kind, pair.good)) for pair in PAIRS)
        for kind in ("letter", "yes-no", "cwe", "technique", "vector")
    }
    free = sum("Final answer" not in pair.good for pair in PAIRS)
    assert min(forms.values()) >= 3 and free >= 40


def test_headings_alone_do_not_tell_the_readable_text() -> None:
    """A judge that counts headings must not pass for one that reads."""
    marks = [tuple(len(HEADING.findall(text)) for text in (pair.good, pair.spoilt)) for pair in of("unreadable")]
    assert sum(good > spoilt for good, spoilt in marks) < 0.5 * len(marks)
