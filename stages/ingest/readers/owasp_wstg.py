"""The OWASP Web Security Testing Guide: tests with objectives, method and remedy, and the chapters around them.

Files: `pages` (an archive with the folder `document/`). Code is left out, which in this guide is mostly attack strings.
"""

import re
from pathlib import PurePosixPath

from stages.ingest.containers import Member
from stages.ingest.markdown import Section, branches, prose, read_page
from stages.ingest.records import Records, SourceFiles

_ID = re.compile(r"^\|\s*(WSTG-[A-Z]{4}-\d{2})\s*\|", re.MULTILINE)
_ID_ROW = re.compile(r"ID: WSTG-")
_NUMBER = re.compile(r"^(\d+)(?:\.(\d+))?-")
_SITE = "https://owasp.org/www-project-web-security-testing-guide/latest/"
_TESTS = "4-Web_Application_Security_Testing"
_LEFT_OUT = ("references", "tools", "related test cases")
MIN_PROSE = 200  # characters: less is a list of the chapter's pages

MIN_SUMMARY = 60


class Page:
    """A page that was parsed."""

    def __init__(self, member: Member, sections: list[Section]) -> None:
        self.path = PurePosixPath(member.name[max(member.name.find("document/"), 0) :].removeprefix("document/"))
        self.sections = sections
        found = _ID.search(member.content[:2000].decode("utf-8", errors="replace"))
        self.test_id = found.group(1) if found else ""
        self.title = next((section.heading for section in sections if section.level == 1), self.path.stem)
        self.kept = [(heading, below) for heading, below in branches(sections) if heading.lower() not in _LEFT_OUT]

    def part(self, heading: str) -> str:
        """The prose below `heading`."""
        return next((prose(below) for found, below in self.kept if found.lower() == heading), "")

    @property
    def preamble(self) -> str:
        """What stands before the first heading below the title, without the table that holds the id."""
        lines = prose([section for section in self.sections if section.level < 2]).split("\n")
        return "\n".join(line for line in lines if not _ID_ROW.match(line))

    @property
    def summary(self) -> str:
        """The summary, or what first says something: a byline does not."""
        parts = [self.part("summary"), self.preamble, *(prose(below) for _, below in self.kept)]
        return next((part for part in parts if len(part) >= MIN_SUMMARY), "")

    @property
    def is_test(self) -> bool:
        """Whether it is a test or a part of one: a page of the testing chapter with a summary or a method."""
        return bool(self.test_id) or (self.path.parts[:1] == (_TESTS,) and bool(self.part("how to test") or self.part("summary")))


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with tests, their parts, and guides from the other chapters."""
    tests: dict[tuple[str, str], str] = {}  # (folder, number) -> id, for pages that continue a test
    seen: set[str] = set()
    for page in sorted(_pages(files, records), key=lambda page: str(page.path)):
        number = _NUMBER.match(page.path.name)
        id = f"wstg:{page.test_id or _slug(page)}"
        if id in seen:
            records.reject(str(page.path), "duplicate-id", id)
            continue
        seen.add(id)
        parent = tests.get((str(page.path.parent), number.group(1)), "") if number and number.group(2) else ""
        if page.test_id and number:
            tests[str(page.path.parent), number.group(1)] = id
        _add(page, id, parent, records)


def _pages(files: SourceFiles, records: Records) -> list[Page]:
    found = []
    for member in files.each("pages", records, "*document/*.md"):
        sections = read_page(member, records)
        page = Page(member, sections) if sections else None
        if page is None:
            continue
        size = len(page.preamble) + sum(len(prose(below)) for _, below in page.kept)
        if size < MIN_PROSE or not page.summary:
            records.reject(member.name, "no-prose", f"{page.title}: {size} characters")
        else:
            found.append(page)
    return found


def _slug(page: Page) -> str:
    name = page.path.parent.name if page.path.stem == "README" else page.path.stem
    return re.sub(r"^[\dA-F.]+-", "", name).replace("_", "-").lower() or "guide"


def _add(page: Page, id: str, parent: str, records: Records) -> None:
    objectives = next(
        (below[0].items or below[0].lines for heading, below in page.kept if heading.lower() == "test objectives"), []
    )
    fields = {"chapter": _chapter(page), "objectives": objectives}
    if page.is_test:
        fields |= {"how_to": page.part("how to test"), "remediation": page.part("remediation"), "summary": page.summary}
    else:
        fields |= {
            "sections": [{"heading": heading, "under": "", "text": prose(below)} for heading, below in page.kept if prose(below)]
        }
    uri = _SITE + str(page.path.with_suffix(""))
    entity = records.entity(id, "security-test" if page.is_test else "guide", page.title, page.summary, uri, fields)
    if parent:
        records.link(id, "child-of", parent)
    label = f"{page.test_id} {page.title}".strip()
    records.passage(entity, "introduction", page.preamble, label)
    for number, (heading, below) in enumerate(page.kept, start=1):
        records.passage(entity, f"section-{number}", prose(below), f"{label}: {heading}")


def _chapter(page: Page) -> str:
    """`Input Validation Testing` of `07-Input_Validation_Testing`."""
    return re.sub(r"^\d+-", "", page.path.parent.name).replace("_", " ")
