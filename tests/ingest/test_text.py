"""Cleaning: what is markup goes, what is content stays, cut texts are found out."""

import time

import pytest

from stages.ingest.text import clean, paragraphs, split_glued_items, split_glued_sentences, whole_sentences


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Runs code.(Citation: Toy (Blog) 2031)(Citation: Other)", "Runs code."),
        ("Uses [Some Tool](https://attack.mitre.org/software/S9001) often.", "Uses Some Tool often."),
        ("See [a page](https://x.invalid/a_(b)).", "See a page."),
        ("See [the notice](https://x.invalid/cut and more", "See the notice and more"),
        ("Call <code>chmod</code> now.<br>Then stop.", "Call chmod now.\nThen stop."),
        ("Echoes <script>alert(1)</script> back.", "Echoes <script>alert(1)</script> back."),
        ("Compare a &lt; b &amp;&amp; c", "Compare a < b && c"),
        ("Use the list [REF-714] .", "Use the list."),
        ("a\u200bb\x00c\u00a0 d", "abc d"),
        ("one  \n\n\n  two", "one\ntwo"),
        ("Files with . as the first sign .", "Files with . as the first sign."),
        ("Runs code.(Citation: Toy). It ends. And c:/a/.. stays", "Runs code. It ends. And c:/a/.. stays"),
        ("**Bold** words, 2 ** 3 and *.exe stay", "Bold words, 2 ** 3 and *.exe stay"),
        ("", ""),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_a_tag_is_content_where_a_parser_has_read_the_markup() -> None:
    assert clean("Runs a script in a <br> tag.", tags=False) == "Runs a script in a <br> tag."


def test_markdown_marks_go_only_where_asked() -> None:
    assert clean("### Impact Run `ls`\n# Why it runs", markdown=True) == "Run ls\nWhy it runs"
    assert clean("C# and `ls`") == "C# and `ls`"


def test_a_whole_text_is_not_cut() -> None:
    assert whole_sentences("One sentence.") == ("One sentence.", False)


def test_a_text_cut_inside_its_citation_is_whole() -> None:
    raw = "Copper Heron has used a tunnel of a supplier to enter.(Citation: Some long rep..."
    assert whole_sentences(raw) == ("Copper Heron has used a tunnel of a supplier to enter.", False)


def test_a_cut_text_keeps_whole_sentences_only() -> None:
    raw = "Copper Heron has used a tunnel of a supplier, e.g. Some Firm. It also stole the badge of..."
    text, cut = whole_sentences(raw)
    assert cut and text == "Copper Heron has used a tunnel of a supplier, e.g. Some Firm."


@pytest.mark.parametrize("raw", ["It also stole the badge of…", "Short. And then it..."])
def test_a_cut_text_without_a_whole_sentence_is_empty(raw: str) -> None:
    assert whole_sentences(raw) == ("", True)


def test_sentences_that_lost_their_space() -> None:
    assert split_glued_sentences("same network.The victim uses node.Js x") == "same network. The victim uses node. Js x"


def test_items_that_lost_their_space_and_their_stop() -> None:
    assert (
        split_glued_sentences("in transit.Implementation: Use it.Pre-design: ask.")
        == "in transit. Implementation: Use it. Pre-design: ask."
    )
    glued = "stored in filesUser-controllable input (etc.)The JavaScript or iFrames runs as rootDesign: stop"
    assert (
        split_glued_items(glued)
        == "stored in files. User-controllable input (etc.). The JavaScript or iFrames runs as root. Design: stop"
    )


def test_a_code_mark_without_its_partner_goes_too() -> None:
    assert clean("Calls `ls and\nstops", markdown=True) == "Calls ls and\nstops"


def test_paragraphs_keep_every_word_within_the_limit() -> None:
    text = "\n".join(f"Line {i} says something. And it says more {i}." for i in range(40))
    pieces = paragraphs(text, 200)
    assert max(map(len, pieces)) <= 200
    assert " ".join(pieces).split() == text.split()


@pytest.mark.parametrize("end", ["(Citation: Toy)", "[REF-1]", "(Citation: Toy..."])
def test_endless_spaces_take_no_endless_time(end: str) -> None:
    start = time.perf_counter()
    assert whole_sentences(f"This sentence of the text ends before the spaces.{' ' * 200_000}X{end}")[0].startswith(
        "This sentence"
    )
    assert time.perf_counter() - start < 5  # twice reading each space would take minutes
