"""The OWASP Top 10: risk categories with the weaknesses each includes, and the chapters around them.

Files: `pages` (an archive; `*.md` of it unless `member` names a pattern, such as one edition's). Code is left out.
"""

import re
from pathlib import PurePosixPath

from stages.ingest.containers import Member
from stages.ingest.markdown import Section, branches, prose, read_page
from stages.ingest.records import Records, SourceFiles

_CATEGORY = re.compile(r"^(A\d{2}):(\d{4})\s*[–-]?\s*(\S.*)$")
_YEAR = re.compile(r"(?<!\d)(20\d{2})(?!\d)")
_LISTED = re.compile(r"definitions/(\d{1,5})\.html|\bCWE-(\d{1,5})\b")
_ABOUT = re.compile(r"(?:notice|about[-_]owasp|index)\.md$", re.IGNORECASE)
_SITE = "https://owasp.org/Top10/"
_PARTS = {
    "overview": "overview",
    "background": "overview",
    "description": "description",
    "how to prevent": "prevention",
    "example attack scenarios": "scenarios",
}
_LEFT_OUT = ("factors", "score table", "references", "list of mapped cwes")
MIN_PROSE = 400  # characters: less is a notice or a list of pages


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with risk categories, the weaknesses they include, and guides."""
    seen: set[str] = set()
    for member in files.each("pages", records, "*.md"):
        sections = read_page(member, records)
        if sections is None:
            continue
        title = next((section.heading for section in sections if section.level == 1), "")
        category = _CATEGORY.match(title) if _weaknesses(member) else None
        id = f"owasp-top10:{category[1]}-{category[2]}" if category else f"owasp-top10:{_slug(member)}"
        if id in seen:
            records.reject(member.name, "duplicate-id", id)
        elif _ABOUT.search(member.name):
            records.reject(member.name, "about-the-project", title)
        elif category:
            _add_category(id, category[3].strip(), sections, member, records)
        else:
            _add_guide(id, title, sections, member, records)
        seen.add(id)


def _add_category(id: str, name: str, sections: list[Section], member: Member, records: Records) -> None:
    parts: dict[str, str] = {}
    for heading, below in branches(sections):
        part = _PARTS.get(_plain(heading))
        if part:
            parts[part] = prose(below)
    text = parts.get("overview") or parts.get("description", "")
    if not text:
        records.reject(member.name, "empty-text", name)
        return
    year = id.rsplit("-", 1)[1]
    weaknesses = _weaknesses(member)
    entity = records.entity(
        id,
        "risk-category",
        name,
        text,
        _uri(member, year),
        {
            "rank": id.split(":")[1].split("-")[0],
            "edition": year,
            "description": parts.get("description", ""),
            "prevention": parts.get("prevention", ""),
            "scenarios": parts.get("scenarios", ""),
            "cwe": weaknesses,
        },
    )
    for weakness in weaknesses:
        records.link(id, "includes", f"cwe:{weakness}")
    for part, found in parts.items():
        records.passage(entity, part, found, f"OWASP Top 10 {year}, {entity.name}: {part}")


def _weaknesses(member: Member) -> list[str]:
    """Ids in the list at the page's end; the prose above it names some of them again."""
    text = member.content.decode("utf-8", errors="replace")
    _, found, listed = text.rpartition("List of Mapped CWEs")
    numbers = {int(a or b) for a, b in _LISTED.findall(listed)} if found else set()
    return [f"CWE-{number}" for number in sorted(numbers)]


def _add_guide(id: str, title: str, sections: list[Section], member: Member, records: Records) -> None:
    kept = [section for section in sections if section.lines and _plain(section.heading) not in _LEFT_OUT]
    size = sum(len(section.text) for section in kept)
    if size < MIN_PROSE:
        records.reject(member.name, "no-prose", f"{title}: {size} characters")
        return
    listed = [{"heading": one.heading, "under": one.under, "text": one.text} for one in kept]
    year = _YEAR.search(member.name)
    name = title or id.split(":")[1].replace("-", " ")
    entity = records.entity(id, "guide", name, kept[0].text, _uri(member, year[1] if year else ""), {"sections": listed})
    for number, section in enumerate(kept, start=1):
        records.passage(entity, f"section-{number}", section.text, f"OWASP Top 10, {name}: {section.heading}".rstrip(": "))


def _plain(heading: str) -> str:
    return heading.strip(" .:").lower()


def _slug(member: Member) -> str:
    path = PurePosixPath(member.name)
    year = _YEAR.search(member.name)
    return (
        "-".join(part for part in re.split(r"[-_]", path.stem.lower()) if part != year[1]) + f"-{year[1]}"
        if year
        else path.stem.lower()
    )


def _uri(member: Member, year: str) -> str:
    stem = PurePosixPath(member.name).stem
    return f"{_SITE}{stem}/" if year == "2021" else f"{_SITE}{year}/{stem}/"
