"""Pages as sections of prose: what is kept, what is left out, what is refused."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stages.ingest.containers import Member
from stages.ingest.markdown import PAGE_LIMIT, branches, parse_sections, prose, read_page
from stages.ingest.params import Source
from stages.ingest.records import Records

PAGE = """# A title ![icon](x.png){: style="height:80px"}

Before the *first* heading, with `code` and a [link](other_page.md#there).

## Part one

Keep this sentence. Consider the following example:

```sql
SELECT 1
```

- first item
  goes on
    - inner `<script>` item
- [Only a link](https://example.org)

1. [Numbered link](a.md)
2. a step

### Below

| Header | Value |
|--------|-------|
| `X-A`  | on    |
| X-B    |       |

## Part two

The following code shows it:

    indented code

> A quotation.
"""


def records() -> Records:
    return Records("toy", Source(reader="toy", version="1", licence="CC0-1.0", files={}), passage_chars=1200)


def test_sections_are_prose_without_code_and_lists_of_links() -> None:
    sections = parse_sections(PAGE)
    assert [(one.level, one.heading, one.under) for one in sections] == [
        (0, "", ""), (1, "A title", ""), (2, "Part one", ""), (3, "Below", "Part one"), (2, "Part two", "")
    ]  # fmt: skip
    assert sections[1].text == "Before the first heading, with code and a link."
    assert sections[2].lines == ["Keep this sentence.", "- first item goes on", "- inner <script> item", "2. a step"]
    assert sections[2].items == ["first item goes on", "inner <script> item", "a step"]
    assert sections[3].text == "Header: X-A; Value: on\nHeader: X-B"
    assert sections[4].text == "A quotation."


def test_what_is_left_out_takes_its_announcement_along() -> None:
    page = "A fact. See these:\n\n- [one](a.md)\n- [two](b.md)\n\n- Such as:\n\n      code\n\nLike this:\n"
    assert parse_sections(page)[0].lines == ["A fact."]
    assert parse_sections(page, whole=True)[0].lines[-1] == "Like this:"


def test_a_page_kept_whole_has_its_code_links_and_html() -> None:
    text = prose(parse_sections(PAGE + "\n<div onclick=x>raw</div>\n", whole=True))
    assert all(part in text for part in ("SELECT 1", "Only a link", "indented code", "<div onclick=x>raw</div>"))


def test_marks_of_the_page_builder_are_no_words() -> None:
    assert parse_sections("# T {: .big }\n\nTry {% raw %}{{ 7*7 }}{% endraw %} now.\n")[1].text == "Try {{ 7*7 }} now."


def test_branches_hold_what_is_below_and_name_it() -> None:
    found = dict(branches(parse_sections(PAGE)))
    assert list(found) == ["Part one", "Part two"]
    assert "Below: Header: X-A" in prose(found["Part one"])


@pytest.mark.parametrize(
    ("content", "reason"), [(b"# \xff\xfe", "not-utf8"), (b"a" * (PAGE_LIMIT + 1), "oversized")], ids=["bytes", "long"]
)
def test_what_is_no_page_is_a_reject_that_names_it(content: bytes, reason: str) -> None:
    filled = records()
    assert read_page(Member("docs/a.md", content), filled) is None
    assert [(one.record, one.reason) for one in filled.rejects] == [("docs/a.md", reason)]


def test_nesting_without_end_ends() -> None:
    start = time.process_time()
    for page in (">" * 200_000, "- " * 100_000, "[" * 50_000, "![" * 20_000, "*a " * 50_000):
        parse_sections(page)
    assert time.process_time() - start < 10


@given(st.text(alphabet=st.sampled_from(list("#*_`[]()!<>|-=\\ \n\tab1.:é&;")), max_size=200) | st.text(max_size=200))
@example("\t\x1f")
def test_any_text_is_a_page(text: str) -> None:
    for whole in (True, False):
        sections = parse_sections(text, whole=whole)
        assert all(line.strip() for section in sections for line in section.lines)
        assert prose(sections) == prose(parse_sections(text, whole=whole))
