"""The OWASP Application Security Verification Standard: requirements by chapter and level, and the weakness each concerns.

Files: `requirements` (the flat JSON of 4.0.3 or 5.0.0); `cwe_map` (optional: `v5.0.be_cwe_mapping.json`, which numbers the
requirements as the drafts of 5.0 did) with `numbers` (`mapping_v5.0.be_to_v5.0.0.yml`, which says what became of these
numbers). Most draft numbers mean another requirement in 5.0.0, so that without `numbers` the list is not used.
"""

import re

import msgspec

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.yaml_documents import BrokenYaml, parse_yaml

_PAGE = "https://owasp.org/www-project-application-security-verification-standard/"
_NUMBER = re.compile(r"(\d+\.\d+\.\d+)$")
_WEAKNESS = re.compile(r"[0-9]{1,6}")
_CONTROLS = re.compile(r"(?<!\s)\s*\(\[C\d+[^\]]*\]\([^()]*\)(?:,?\s*\[C\d+[^\]]*\]\([^()]*\))*\)")  # references to another list


class Requirement(msgspec.Struct):
    """One requirement: 5.0.0 gives its lowest level in `L`, 4.0.3 marks each level that it belongs to."""

    chapter_name: str
    section_name: str
    section_id: str
    req_id: str
    req_description: str
    L: str = ""
    level1: str = ""
    level2: str = ""
    level3: str = ""
    cwe: str = ""
    nist: str = ""


class Standard(msgspec.Struct):
    """The file."""

    requirements: list[msgspec.Raw]


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with requirements, the weaknesses they verify the absence of, and passages."""
    seen: set[str] = set()
    for requirement in records.convert(files.decode("requirements", Standard).requirements, Requirement):
        text = clean(_CONTROLS.sub("", requirement.req_description), markdown=True)
        reason = _reason_to_drop(requirement, text, seen)
        if reason:
            records.reject(requirement.req_id, reason, text)
            continue
        seen.add(requirement.req_id)
        _add(requirement, text, records)
    if files.has("cwe_map"):
        _link_drafts(files, seen, records)


def _reason_to_drop(requirement: Requirement, text: str, seen: set[str]) -> str:
    if not _NUMBER.search(requirement.req_id):
        return "no-number"
    if text.startswith("[DELETED") or text.startswith("[MOVED"):
        return "deleted-requirement"
    return "empty-text" if not text else "duplicate-id" if requirement.req_id in seen else ""


def _add(requirement: Requirement, text: str, records: Records) -> None:
    version = records.source.version
    weakness = f"CWE-{int(requirement.cwe)}" if _WEAKNESS.fullmatch(requirement.cwe) else ""
    entity = records.entity(
        _id(records, requirement.req_id),
        "verification-requirement",
        f"{requirement.req_id} {requirement.section_name}",
        text,
        _PAGE,
        {
            "standard": f"OWASP ASVS {version}",
            "number": requirement.req_id,
            "chapter": requirement.chapter_name,
            "section": requirement.section_name,
            "section_id": requirement.section_id,
            "levels": _levels(requirement),
            "cwe": [weakness] if weakness else [],
            "nist": [one.strip() for one in requirement.nist.split("/") if one.strip()],
        },
    )
    if weakness:
        records.link(entity.id, "verifies", f"cwe:{weakness}")
    records.passage(entity, "requirement", text, f"OWASP ASVS {version} {entity.name}")


def _id(records: Records, number: str) -> str:
    return f"asvs:{records.source.version}/{number}"


def _levels(requirement: Requirement) -> list[int]:
    if requirement.L:
        return list(range(int(requirement.L), 4)) if requirement.L in ("1", "2", "3") else []
    marks = (requirement.level1, requirement.level2, requirement.level3)
    return [level for level, mark in enumerate(marks, start=1) if mark.strip()]


def _link_drafts(files: SourceFiles, known: set[str], records: Records) -> None:
    """Links from the list that the drafts carried, each number followed to the release."""
    numbers = _numbers(files) if files.has("numbers") else {}
    try:
        listed = msgspec.json.decode(files.read("cwe_map"), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{files.where('cwe_map')} is no map of numbers to CWE ids: {error}.", remedy="Pin a whole file."
        ) from error
    for draft, weakness in sorted(listed.items()):
        number = numbers.get(draft, "")
        if number in known and _WEAKNESS.fullmatch(weakness):
            records.link(_id(records, number), "verifies", f"cwe:CWE-{int(weakness)}")
        else:
            records.reject(f"{draft} -> CWE-{weakness}", "draft-number", number or "no `numbers` file says what became of it")


def _numbers(files: SourceFiles) -> dict[str, str]:
    """`V1.2.3` in the release by the draft's whole id."""
    try:
        pairs = parse_yaml(files.read("numbers"))
    except BrokenYaml as error:
        raise InputError(f"{files.where('numbers')} cannot be read: {error}.", remedy="Pin a whole file.") from error
    found = {str(draft): _NUMBER.search(str(number)) for draft, number in pairs.items()} if isinstance(pairs, dict) else {}
    return {draft: f"V{match[1]}" for draft, match in found.items() if match}
