"""MITRE CWE, XML catalogue: weaknesses with everything tasks ask about, observed examples as vulnerabilities.

Files: `catalogue`. The file is parsed as a stream; entities are not resolved, a document type is refused.
"""

import re
from typing import Any

from stages.errors import InputError
from stages.ingest.readers.cwe import fields as cwe_fields
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import tidy

NAMESPACE = "http://cwe.mitre.org/cwe-7"
SUPPORTED = "4"
RESEARCH_VIEW = "1000"  # the one complete hierarchy
SIMPLIFIED_VIEW = "1003"  # the weaknesses that published vulnerabilities are mapped to
_CVE = re.compile(r"^CVE-\d{4}-\d{4,}$")
_OWASP = re.compile(r"OWASP Top Ten (\d{4}) Category (A\d+)(?::\d{4})? - (.+)")
_TOP_25 = re.compile(r"Weaknesses in the (\d{4}) CWE(?:/SANS)? Top 25")
_RELATIONS = {"ChildOf": "child-of", "CanPrecede": "can-precede", "PeerOf": "related-to", "CanAlsoBe": "related-to"}
_RELATIONS |= {"Requires": "related-to", "StartsWith": "related-to"}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with weaknesses, their links, the vulnerabilities they name, and passages."""
    weaknesses: dict[str, Entity] = {}
    named: dict[str, set[str]] = {}
    views, owasp = {}, {}
    with files.open("catalogue") as stream:
        for element in _elements(files, stream):
            kind = element.tag.rsplit("}", 1)[-1]
            if kind == "Weakness":
                _add_weakness(element, records, weaknesses, named)
            elif kind == "View":
                views[element.get("ID")] = (element.get("Name"), _members(element))
            elif kind == "Category" and (match := _OWASP.match(element.get("Name", ""))):
                owasp[f"{match.group(2)}:{match.group(1)} {match.group(3)}"] = _members(element)
            element.clear()
    _add_membership(weaknesses, views, owasp)
    _add_vulnerabilities(named, records)
    _add_unseen_patterns(records)
    for entity in weaknesses.values():
        _add_passages(entity, records)


def _elements(files: SourceFiles, stream: Any) -> Any:
    """Weaknesses, categories and views of the stream, after the catalogue's version was checked."""
    from lxml import etree

    tags = tuple(f"{{*}}{name}" for name in ("Weakness_Catalog", "Weakness", "Category", "View"))
    options = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False, "remove_comments": True}
    try:
        for event, element in etree.iterparse(stream, events=("start", "end"), tag=tags, **options):
            if element.tag.endswith("}Weakness_Catalog"):
                if event == "start":
                    _check_catalogue(files, element)
            elif event == "end":
                yield element
    except etree.XMLSyntaxError as error:
        raise InputError(f"{files.where('catalogue')} is not well-formed XML: {error}", remedy="Pin a whole file.") from error


def _check_catalogue(files: SourceFiles, root: Any) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise InputError(f"{files.where('catalogue')} declares a document type.", allowed="a CWE catalogue, which has none")
    files.check_version("catalogue", root.get("Version", ""), SUPPORTED)
    if not root.tag.startswith(f"{{{NAMESPACE}}}"):
        raise InputError(
            f"{files.where('catalogue')} has the root {root.tag}.", allowed=f"the schema {NAMESPACE}", remedy="Extend the reader."
        )


def _add_weakness(element: Any, records: Records, weaknesses: dict[str, Entity], named: dict[str, set[str]]) -> None:
    number, name = element.get("ID", ""), tidy(element.get("Name", ""))
    description = cwe_fields.text(cwe_fields.child(element, "Description"))
    if not number.isdigit() or not name or not description:
        records.reject(f"CWE-{number} {name}", "broken-record", "no id, name or description")
        return
    fields = cwe_fields.fields(element)
    extended = cwe_fields.text(cwe_fields.child(element, "Extended_Description"))
    entity = records.entity(
        f"cwe:CWE-{number}",
        "weakness",
        name,
        f"{description}\n{extended}".strip(),
        f"https://cwe.mitre.org/data/definitions/{number}.html",
        fields | {"description": description, "extended": extended},
        deprecated=element.get("Status") in ("Deprecated", "Obsolete"),
    )
    weaknesses[number] = entity
    if cwe_fields.in_view(element, SIMPLIFIED_VIEW):
        entity.fields.setdefault("views", []).append(SIMPLIFIED_VIEW)
    _add_relations(element, entity, records)
    _add_examples(element, entity, records, named)


def _add_relations(element: Any, entity: Entity, records: Records) -> None:
    for nature, number in sorted(cwe_fields.relations(element, RESEARCH_VIEW)):
        if nature in _RELATIONS:
            records.link(entity.id, _RELATIONS[nature], f"cwe:CWE-{number}")
    for capec in entity.fields.get("capec", []):
        records.link(f"capec:{capec}", "exploits", entity.id)


def _add_examples(element: Any, entity: Entity, records: Records, named: dict[str, set[str]]) -> None:
    for reference, text in cwe_fields.observed_examples(element):
        if not _CVE.match(reference):
            records.reject(f"{entity.id} {reference}", "no-cve-id", text)
        elif not text:
            records.reject(f"{entity.id} {reference}", "empty-text")
        else:
            named.setdefault(reference, set()).add(text)
            records.link(f"cve:{reference}", "instance-of", entity.id, text)


def _members(element: Any) -> set[str]:
    return {member.get("CWE_ID") for member in element.iter("{*}Has_Member")}


def _add_membership(weaknesses: dict[str, Entity], views: dict[str, Any], owasp: dict[str, set[str]]) -> None:
    """Views, OWASP categories and Top 25 years, which are stated elsewhere in the file than the weakness."""
    for number, entity in weaknesses.items():
        own = {view for view, (_, members) in views.items() if number in members} | set(entity.fields.get("views", []))
        years = {match.group(1) for view in own if view in views and (match := _TOP_25.match(views[view][0]))}
        entity.fields["views"] = sorted(own, key=int)
        entity.fields["in_view_1003"] = SIMPLIFIED_VIEW in own
        entity.fields["top25"] = sorted(years)
        entity.fields["owasp"] = sorted(category for category, members in owasp.items() if number in members)


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
