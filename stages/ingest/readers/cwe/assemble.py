"""Entities, links and passages of the CWE catalogue, whatever the form in which it was published.

A reader of one form gives weaknesses and groups as plain data; what follows from them is the same for all forms.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from stages.ingest.readers.cwe import fields as cwe_fields
from stages.ingest.records import Records
from stages.ingest.schema import Entity

SUPPORTED = "4"
RESEARCH_VIEW = "1000"  # the one complete hierarchy; other views shorten or rearrange it
SIMPLIFIED_VIEW = "1003"  # the weaknesses that published vulnerabilities are mapped to
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_OWASP = re.compile(r"OWASP Top Ten (\d{4}) Category (A\d+)(?::\d{4})? - (.+)")
_TOP_25 = re.compile(r"Weaknesses in the (\d{4}) CWE(?:/SANS)? Top 25")
_NUMBER = re.compile(r"[0-9]{1,6}")
_RELATIONS = {"ChildOf": "child-of", "CanPrecede": "can-precede", "PeerOf": "related-to", "CanAlsoBe": "related-to"}
_RELATIONS |= {"Requires": "related-to", "StartsWith": "related-to"}


class Weakness(msgspec.Struct):
    """One weakness as plain data; `fields` as `fields.fields` makes them from XML."""

    number: str
    name: str
    description: str
    extended: str
    fields: dict[str, Any]
    relations: list[tuple[str, str, str]]  # nature, number, view
    observed: list[tuple[str, str]]  # reference, text


class Group(msgspec.Struct):
    """A category or a view and its direct members."""

    kind: str  # category or view
    number: str
    name: str
    text: str
    fields: dict[str, Any]
    members: list[str]  # numbers


def fill(records: Records, weaknesses: Iterable[Weakness], groups: list[Group]) -> None:
    """Fill `records`; `weaknesses` is read to its end before `groups` is."""
    entities: dict[str, Entity] = {}
    named: dict[str, set[str]] = {}
    for weakness in weaknesses:
        entity = _add_weakness(weakness, records)
        if entity:
            entities[weakness.number] = entity
            _add_relations(weakness, entity, records)
            _add_examples(weakness, entity, records, named)
    _add_membership(entities, groups)
    _add_groups(groups, entities, records)
    _add_vulnerabilities(named, records)
    _add_unseen_patterns(records)
    for entity in entities.values():
        _add_passages(entity, records)


def _add_weakness(weakness: Weakness, records: Records) -> Entity | None:
    if not _NUMBER.fullmatch(weakness.number) or not weakness.name or not weakness.description:
        records.reject(f"CWE-{weakness.number} {weakness.name}", "broken-record", "no id, name or description")
        return None
    return records.entity(
        f"cwe:CWE-{weakness.number}",
        "weakness",
        weakness.name,
        f"{weakness.description}\n{weakness.extended}".strip(),
        _uri(weakness.number),
        weakness.fields | {"description": weakness.description, "extended": weakness.extended},
        deprecated=weakness.fields.get("status") in ("Deprecated", "Obsolete"),
    )


def _add_relations(weakness: Weakness, entity: Entity, records: Records) -> None:
    parents: dict[str, list[str]] = {}
    for nature, number, view in sorted(set(weakness.relations)):
        if view != RESEARCH_VIEW and nature == "ChildOf":
            parents.setdefault(view, []).append(f"CWE-{number}")
        elif view == RESEARCH_VIEW and nature in _RELATIONS:
            records.link(entity.id, _RELATIONS[nature], f"cwe:CWE-{number}")
    if parents:
        entity.fields["parents_in_views"] = parents
    for capec in entity.fields.get("capec", []):
        records.link(f"capec:{capec}", "exploits", entity.id)


def _add_examples(weakness: Weakness, entity: Entity, records: Records, named: dict[str, set[str]]) -> None:
    for reference, text in weakness.observed:
        if not _CVE.fullmatch(reference):
            records.reject(f"{entity.id} {reference}", "no-cve-id", text)
        elif not text:
            records.reject(f"{entity.id} {reference}", "empty-text")
        else:
            named.setdefault(reference, set()).add(text)
            records.link(f"cve:{reference}", "instance-of", entity.id, text)


def _add_membership(entities: dict[str, Entity], groups: list[Group]) -> None:
    """Views, OWASP categories and Top 25 years, which are stated elsewhere than the weakness."""
    views: dict[str, set[str]] = {}
    owasp: dict[str, set[str]] = {}
    years: dict[str, set[str]] = {}
    for group in groups:
        if group.kind == "view" and _NUMBER.fullmatch(group.number):
            _note(views, group.members, group.number)
            if match := _TOP_25.match(group.name):
                _note(years, group.members, match.group(1))
        elif match := _OWASP.match(group.name):
            _note(owasp, group.members, f"{match.group(2)}:{match.group(1)} {match.group(3)}")
    for number, entity in entities.items():
        hanging = {SIMPLIFIED_VIEW} & set(entity.fields.get("parents_in_views", {}))
        own = views.get(number, set()) | hanging
        entity.fields["views"] = sorted(own, key=int)
        entity.fields["in_view_1003"] = SIMPLIFIED_VIEW in own
        entity.fields["top25"] = sorted(years.get(number, ()))
        entity.fields["owasp"] = sorted(owasp.get(number, ()))


def _note(found: dict[str, set[str]], members: list[str], value: str) -> None:
    for member in members:
        found.setdefault(member, set()).add(value)


def _add_groups(groups: list[Group], entities: dict[str, Entity], records: Records) -> None:
    """Categories and views, and who is a member of them. A member is a weakness or a category of this catalogue."""
    known = set(entities) | {group.number for group in groups}
    for group in sorted(groups, key=lambda group: (len(group.number), group.number, group.kind)):
        if not _NUMBER.fullmatch(group.number) or not group.name:
            records.reject(f"CWE-{group.number} {group.name}", "broken-record", "no id or name")
            continue
        entity = records.entity(
            f"cwe:CWE-{group.number}",
            f"weakness-{group.kind}",
            group.name,
            group.text,
            _uri(group.number),
            group.fields,
            deprecated=group.fields.get("status") == "Deprecated",
        )
        for member in sorted(set(group.members), key=lambda member: (len(member), member)):
            if member in known:
                records.link(f"cwe:CWE-{member}", "member-of", entity.id)
            else:
                records.reject(f"{entity.id} CWE-{member}", "unresolved-id", "a member that the catalogue does not hold")


def _add_vulnerabilities(named: dict[str, set[str]], records: Records) -> None:
    for cve, texts in sorted(named.items()):
        ordered = sorted(texts, key=lambda text: (-len(text), text))
        entity = records.entity(
            f"cve:{cve}",
            "vulnerability",
            cve,
            ordered[0],
            f"https://www.cve.org/CVERecord?id={cve}",
            {"observed_examples": ordered, "year": int(cve.split("-")[1])},
        )
        records.passage(entity, "description", entity.text)


def _add_unseen_patterns(records: Records) -> None:
    """Attack patterns that weaknesses name: without them no chain could pass; a source with their text completes them."""
    for id in sorted({link.subject for link in records.links if link.relation == "exploits"}):
        key = id.split(":")[1]
        number = key.split("-")[1]
        records.entity(id, "attack-pattern", key, "", f"https://capec.mitre.org/data/definitions/{number}.html", {"stub": True})


def _add_passages(entity: Entity, records: Records) -> None:
    if entity.deprecated:
        return
    label = f"{entity.id.split(':')[1]} {entity.name}"
    records.passage(entity, "description", entity.text)
    records.passage(entity, "background", "\n".join(entity.fields.get("background", [])), f"Background of {label}")
    for section, title in (("consequences", "Consequences"), ("mitigations", "Mitigations"), ("detection_methods", "Detection")):
        lines = [cwe_fields.line(section, item) for item in entity.fields.get(section, [])]
        records.passage(entity, section.split("_")[0], "\n".join(lines), f"{title} of {label}")


def _uri(number: str) -> str:
    return f"https://cwe.mitre.org/data/definitions/{number}.html"
