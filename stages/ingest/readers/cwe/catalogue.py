"""MITRE CWE, XML catalogue: weaknesses with everything tasks ask about, observed examples as vulnerabilities.

Files: `catalogue`. The file is parsed as a stream; entities are not resolved, a document type is refused.
"""

from collections.abc import Iterator
from typing import Any

from stages.errors import InputError
from stages.ingest.readers.cwe import fields as cwe_fields
from stages.ingest.readers.cwe.assemble import SUPPORTED, Group, Weakness, fill
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import tidy

NAMESPACE = "http://cwe.mitre.org/cwe-7"
_TEXT_OF = {"View": "Objective", "Category": "Summary"}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with weaknesses, categories, views, the vulnerabilities they name, and passages."""
    groups: list[Group] = []
    with files.open("catalogue") as stream:
        fill(records, _weaknesses(_elements(files, stream), groups), groups)


def _weaknesses(elements: Iterator[Any], groups: list[Group]) -> Iterator[Weakness]:
    """Weaknesses as they come; what groups them is put into `groups`."""
    for element in elements:
        kind = element.tag.rsplit("}", 1)[-1]
        if kind == "Weakness":
            yield _weakness(element)
        elif kind in _TEXT_OF:
            groups.append(_group(element, kind))
        element.clear()


def _elements(files: SourceFiles, stream: Any) -> Iterator[Any]:
    """Weaknesses, categories and views of the stream, after the catalogue's version was checked."""
    from lxml import etree

    tags = tuple(f"{{*}}{name}" for name in ("Weakness_Catalog", "Weakness", *_TEXT_OF))
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


def _weakness(element: Any) -> Weakness:
    return Weakness(
        number=element.get("ID", ""),
        name=tidy(element.get("Name", "")),
        description=cwe_fields.text(cwe_fields.child(element, "Description")),
        extended=cwe_fields.text(cwe_fields.child(element, "Extended_Description")),
        fields=cwe_fields.fields(element),
        relations=cwe_fields.relations(element),
        observed=cwe_fields.observed_examples(element),
    )


def _group(element: Any, kind: str) -> Group:
    return Group(
        kind=kind.lower(),
        number=element.get("ID", ""),
        name=tidy(element.get("Name", "")),
        text=cwe_fields.text(cwe_fields.child(element, _TEXT_OF[kind])),
        fields={
            "status": element.get("Status", ""),
            "view_type": element.get("Type", ""),
            "mapping": cwe_fields.mapping(element),
        },
        members=[member.get("CWE_ID", "") for member in element.iter("{*}Has_Member")],
    )
