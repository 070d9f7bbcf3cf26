"""The OWASP Cheat Sheet Series: guides for developers, and which risk category or ASVS section each helps with.

Files: `pages` (an archive with `cheatsheets/*.md` and, beside that folder, `IndexTopTen.md` and `IndexASVS.md`);
`asvs` (optional: the flat JSON of ASVS 5.0.0, which says what requirements a section has). Code is left out.
"""

import re
from pathlib import PurePosixPath

import msgspec

from stages.ingest.containers import Member
from stages.ingest.markdown import Section, read_page
from stages.ingest.records import Records, SourceFiles

ASVS_VERSION = "5.0.0"  # of the index
_PAGE = "https://cheatsheetseries.owasp.org/cheatsheets/"
_ENDING = "_Cheat_Sheet"
_ATTACKS = {"XSS_Filter_Evasion_Cheat_Sheet"}  # a list of attack strings, no guide
_NO_PROSE = re.compile(r"^(?:references?\b|related |further reading|external |credits?$|authors?$|tools$)", re.IGNORECASE)
_HISTORY = re.compile(r"\b(?:deprecated|historical|archived?|retired)\b", re.IGNORECASE)
_PLACE = re.compile(r"^#{2,3} \[?(?:(A\d{2}):(\d{4})|(V\d+(?:\.\d+)?)\b)")
_LINK = re.compile(r"\(cheatsheets/([\w\-.]+)\.md")


class Requirement(msgspec.Struct):
    """A requirement of ASVS and the section it stands in."""

    section_id: str
    req_id: str


class Requirements(msgspec.Struct):
    """The flat JSON of ASVS."""

    requirements: list[Requirement]


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with guides, their passages, and links to risk categories and requirements."""
    indexes: list[Member] = []
    for member in files.each("pages", records, "*.md"):
        path = PurePosixPath(member.name)
        if path.parent.name == "cheatsheets":
            _read_guide(member, path.stem, records)
        elif path.stem in ("IndexTopTen", "IndexASVS"):
            indexes.append(member)
    known = {entity.id for entity in records.entities}
    sections = _sections(files) if files.has("asvs") else {}
    for member in indexes:
        links = _index_links(member, sections)
        for guide, relation, object in links:
            if guide in known:
                records.link(guide, relation, object)
        for guide in sorted({guide for guide, _, _ in links} - known):
            records.reject(f"{member.name} {guide}", "no-such-guide", "the index names a cheat sheet that was not read")


def _read_guide(member: Member, stem: str, records: Records) -> None:
    if stem in _ATTACKS:
        records.reject(member.name, "attack-strings", "a list of attack strings is no guide")
        return
    sections = read_page(member, records)
    if sections is None:
        return
    kept = [section for section in sections if section.lines and not _NO_PROSE.search(section.heading)]
    title = next((section.heading for section in sections if section.level == 1), stem.replace("_", " "))
    if not kept:
        records.reject(member.name, "no-prose", title)
        return
    _add(stem, title.removesuffix("Cheat Sheet").strip(), kept, records)


def _add(stem: str, name: str, kept: list[Section], records: Records) -> None:
    listed = [{"heading": one.heading, "under": one.under, "text": one.text} for one in kept]
    retired = bool(_HISTORY.search(name))
    entity = records.entity(
        f"owasp-cheatsheet:{_slug(stem)}",
        "guide",
        name,
        kept[0].text,
        f"{_PAGE}{stem}.html",
        {"sections": listed},
        deprecated=retired,
    )
    for number, section in enumerate(kept, start=1):
        records.passage(entity, f"section-{number}", section.text, f"{name}: {section.heading}")


def _slug(stem: str) -> str:
    return stem.removesuffix(_ENDING).replace("_", "-").lower()


def _sections(files: SourceFiles) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for requirement in files.decode("asvs", Requirements).requirements:
        found.setdefault(requirement.section_id, []).append(requirement.req_id)
    return found


def _index_links(member: Member, sections: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    """(guide, relation, object) of an index page: below each heading stand links to cheat sheets."""
    links: dict[tuple[str, str, str], None] = {}
    objects: list[str] = []
    relation = "covers"
    for line in member.content.decode("utf-8", errors="replace").splitlines():
        if line.startswith("#"):
            place = _PLACE.match(line)
            risk, year, section = place.groups() if place else (None, None, None)
            relation = "covers" if risk else "related-to"
            objects = (
                [f"owasp-top10:{risk}-{year}"]
                if risk
                else [f"asvs:{ASVS_VERSION}/{one}" for one in sections.get(section or "", [])]
            )
        for stem in _LINK.findall(line):
            links |= {(f"owasp-cheatsheet:{_slug(stem)}", relation, object): None for object in objects}
    return list(links)
