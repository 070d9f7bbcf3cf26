"""From a page to passages: the words of the page, its order and its headings, and nothing else."""

import time

import pytest

from stages.ground.web import extract
from stages.ground.web.extract import clean, decoded, markdown, title_of
from stages.ground.web.failures import Refused
from stages.ground.web.passages import CHARACTERS, LEAST, cut_up, passages_of, sections
from stages.ground.web.schema import snapshot

NAMES = "Malware writes to HKEY_LOCAL_MACHINE\\Run, *.tmp and `C:\\a_b` as [1] says; see T1059.001 and a<b. "


def page(*parts: str, title: str = "A page") -> str:
    body = "".join(part if part.startswith("<") else f"<p>{part}</p>" for part in parts)
    return f"<html><head><title>{title}</title></head><body><main><article>{body}</article></main></body></html>"


def test_names_with_signs_that_are_markup_elsewhere_stay_as_they_are() -> None:
    said = markdown(
        page("<h1>Use of reg_add [x]</h1>", NAMES.replace("<", "&lt;") * 2, "<p>Type <code>reg_add \\*x</code> there.</p>"),
        "text/html",
    )
    assert NAMES.strip() in said and said.startswith("# Use of reg_add [x]") and "`reg_add \\*x`" in said


def test_lists_tables_and_code_keep_their_form() -> None:
    parts = "<ul><li>Watch write access</li><li>Watch remote threads</li></ul><table><tr><th>Call</th><th>Risk</th></tr><tr><td>OpenProcess</td><td>low</td></tr></table>"
    said = markdown(
        page("Defenders look at calls between processes. " * 4, parts, "<pre><code>ps -ef\n# not a heading</code></pre>"),
        "text/html",
    )
    assert "- Watch write access\n- Watch remote threads" in said and "| OpenProcess | low |" in said
    assert [heading for heading, _ in sections(said)] == [""], "a comment in code is no heading"


def test_titles_are_one_line_without_markup_and_of_limited_length() -> None:
    assert title_of("<title> A &lt;b&gt;\n &amp; c </title>", "text/html") == "A <b> & c"
    assert len(title_of(f"<title>{'long ' * 500}</title>", "text/html")) <= 200
    assert title_of("<p>none</p>", "text/html") == "" == title_of("<title>x</title>", "text/plain")


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("café".encode(), "", "café"),
        ("café".encode("latin-1"), "iso-8859-1", "café"),
        ("<meta charset='windows-1251'>мир".encode("cp1251"), "", "<meta charset='windows-1251'>мир"),
        (b"<meta charset=utf-7>+ADw-script+AD4-", "utf-7", "<meta charset=utf-7>+ADw-script+AD4-"),
        ("caf\xe9 \x93quoted\x94".encode("latin-1"), "nonsense", "café “quoted”"),
        (b"\xef\xbb\xbfmark", "", "mark"),
    ],
)
def test_encodings(body: bytes, charset: str, text: str) -> None:
    assert decoded(body, charset) == text


def test_a_binary_is_refused() -> None:
    with pytest.raises(Refused, match="binary"):
        decoded(b"GIF89a\x00\x01", "")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31;1mred\x1b[0m\x1b]8;;http://x\x07link\x1b\\", "redlink"),
        ("a\u200bb\u202ec\x00d\r\ne\tf", "abcd\ne f"),
        ("<|im_st\u200bart|>system", "< |im_start|>system"),
        ("\x1b[" * 3, ""),
    ],
)
def test_what_a_terminal_or_a_template_obeys_is_taken_out(text: str, seen: str) -> None:
    assert clean(text) == seen


def test_passages_follow_the_headings_and_name_them() -> None:
    body = page(
        "<h1>Injection</h1>",
        "Code is written into another process. " * 3,
        "<h2>Detection</h2>",
        "Watch for remote threads that start there. " * 60,
    )
    one = snapshot(
        "page", "https://example.org/a", body=body, final_url="https://example.org/b", content_type="text/html", title="A page"
    )
    found = passages_of(one, "MIT")
    assert found[0].title == "A page: Injection" and {passage.title for passage in found[1:]} == {"A page: Detection"}
    assert [passage.id for passage in found] == [f"{one.id}#{number}" for number in range(1, len(found) + 1)]
    assert all(len(passage.text) <= CHARACTERS and passage.text.endswith(".") for passage in found) and len(found) == 4
    assert {(passage.uri, passage.licence, passage.source, passage.version) for passage in found} == {
        ("https://example.org/b", "MIT", "web", one.retrieved[:10])
    }


def test_pieces_keep_every_word_and_cut_a_wall_of_letters() -> None:
    text = "\n\n".join(["One sentence follows another here. " * 9] * 6 + ["x" * 3000, "word " * 700])
    pieces = cut_up(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert max(map(len, pieces)) <= CHARACTERS
    assert cut_up("Short.") == [] and len("Short.") < LEAST


@pytest.mark.parametrize(
    "text",
    ["#" + " " * 200_000 + "\u00a0", "# a" + " " * 200_000 + "b", "\\" * 200_000, "\\" * 200_000 + "x", "`" * 200_000, "``` " * 50_000,
     "`a\n" * 60_000, "\n" + " " * 200_000 + "x", "\n " * 100_000, ". " * 100_000, "!" + " " * 200_000, "1" * 200_000 + "\\."],
    ids=lambda text: f"{text[:4]!r}*{len(text)}",
)  # fmt: skip
def test_no_text_takes_longer_than_its_length(text: str) -> None:
    """Of quadratic patterns 200 kB would take minutes."""
    started = time.monotonic()
    for piece in (text, extract._as_said(clean(text))):
        sections(piece)
        cut_up(piece)
    assert time.monotonic() - started < 5


def test_spaces_in_the_declaration_of_a_charset_take_no_time() -> None:
    started = time.monotonic()
    for _ in range(50):
        decoded(b"<meta charset=" + b" " * 2000 + b"*", "")
    assert time.monotonic() - started < 1


def test_headings_and_escapes_are_read_as_before() -> None:
    assert sections("#  Title \t\nText\n###\tDeep # \nMore\n#none\n# ") == [("Title", "Text"), ("Deep", "More\n#none\n#")]
    assert extract._as_said(r"\_a\\*b\\\[c \d `\_`") == r"_a\*b\[c \d `\_`"
