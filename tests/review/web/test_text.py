"""Hostile text as text; addresses that may be links; differences that join to the texts they came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.review.web.text import checked_address, differences, plain_visible, visible


def test_markup_is_escaped_and_what_nobody_sees_is_shown() -> None:
    shown = visible("<b>\x1b[31m\u202eabc\u200b\x00\r\n\ttab</b>é漢")
    assert "<b>" not in shown and "\x1b" not in shown and "\u202e" not in shown and "\u200b" not in shown and "\x00" not in shown
    for code in ("U+001B", "U+202E", "U+200B", "U+0000"):
        assert f">{code}</span>" in shown
    assert shown.endswith("\n\ttab&lt;/b&gt;é漢")


@given(st.text())
def test_nothing_invisible_and_no_markup_is_left(text: str) -> None:
    shown = visible(text)
    assert shown.count("<") == 2 * shown.count('<span class="control"')
    assert all(character.isprintable() or character in "\n\t" or character.isspace() for character in shown)
    shown.encode()
    plain_visible(text).encode()


@pytest.mark.parametrize("uri", ["https://cwe.mitre.org/data/definitions/79.html", "http://example.org:8080/a?b=1#c"])
def test_addresses_that_may_be_links(uri: str) -> None:
    assert checked_address(uri) == uri


@pytest.mark.parametrize(
    "uri",
    ["", "javascript:alert(1)", "data:text/html,x", "//example.org", "https://", "http:example.org", "https://user@example.org/",
     "https://trusted.example@evil.example/", "https://example.org/\u202e", "https://ex\u0430mple.org/", " https://example.org",
     "https://example.org/a b", "https://example.org\\@evil.example", "ftp://example.org", "https://[::1", "https://example.org/\n",
     "vbscript:x", "https://example.org:99999/", "https://example.org/<script>"],
)  # fmt: skip
def test_addresses_that_stay_text(uri: str) -> None:
    assert checked_address(uri) == ""


def test_differences_mark_what_changed() -> None:
    left, right = differences("The input is joined into the query as it came.", "The input is bound to the query as it came.")
    assert [piece.text for piece in left if piece.kind == "removed"] == ["joined into"]
    assert [piece.text for piece in right if piece.kind == "added"] == ["bound to"]


@given(st.text(alphabet="ab \n<", max_size=60), st.text(alphabet="ab \n<", max_size=60))
def test_pieces_join_to_the_texts(first: str, second: str) -> None:
    left, right = differences(first, second)
    assert "".join(piece.text for piece in left) == first
    assert "".join(piece.text for piece in right) == second


def test_a_huge_pair_is_not_compared() -> None:
    left, right = differences("a " * 5000, "b " * 5000)
    assert ([piece.kind for piece in left], [piece.kind for piece in right]) == (["removed"], ["added"])
