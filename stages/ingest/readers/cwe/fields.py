"""The parts of one CWE weakness element as plain data."""

from typing import Any

from stages.ingest.text import clean, tidy

_BLOCKS = {"p", "li", "ul", "ol", "br", "div", "table", "tr"}


def child(element: Any, name: str) -> Any:
    """The first child of that local name, or None."""
    return next(iter(element.iterchildren(f"{{*}}{name}")), None)


def children(element: Any, group: str, name: str) -> list[Any]:
    """Children `name` of the child `group`."""
    parent = child(element, group)
    return [] if parent is None else list(parent.iterchildren(f"{{*}}{name}"))


def text(element: Any) -> str:
    """Text of an element and its markup, one line per block."""
    if element is None:
        return ""
    pieces: list[str] = []
    _collect(element, pieces)
    return clean("".join(pieces), tags=False)


def _collect(element: Any, pieces: list[str]) -> None:
    """Inside a block the source wraps lines and indents: only block elements break lines."""
    if not isinstance(element.tag, str):
        return
    block = element.tag.rsplit("}", 1)[-1] in _BLOCKS
    pieces.append("\n" if block else "")
    pieces.append(" ".join((element.text or "").split()) + (" " if (element.text or "")[-1:].isspace() else ""))
    for inner in element:
        _collect(inner, pieces)
        tail = inner.tail or ""
        pieces.append(
            (" " if tail[:1].isspace() else "") + " ".join(tail.split()) + (" " if tail[-1:].isspace() and tail.strip() else "")
        )
    pieces.append("\n" if block else "")


def texts(element: Any, name: str) -> list[str]:
    """Texts of the children of that name, without empty ones."""
    return [found for item in element.iterchildren(f"{{*}}{name}") if (found := text(item))]


def fields(element: Any) -> dict[str, Any]:
    """Everything of a weakness but its description and its links."""
    return {
        "abstraction": element.get("Abstraction", ""),
        "structure": element.get("Structure", ""),
        "status": element.get("Status", ""),
        "background": [found for item in children(element, "Background_Details", "Background_Detail") if (found := text(item))],
        "alternate_terms": [_alternate(item) for item in children(element, "Alternate_Terms", "Alternate_Term")],
        "modes_of_introduction": [_introduction(item) for item in children(element, "Modes_Of_Introduction", "Introduction")],
        "platforms": _platforms(element),
        "likelihood": text(child(element, "Likelihood_Of_Exploit")),
        "consequences": [_consequence(item) for item in children(element, "Common_Consequences", "Consequence")],
        "detection_methods": [_detection(item) for item in children(element, "Detection_Methods", "Detection_Method")],
        "mitigations": [_mitigation(item) for item in children(element, "Potential_Mitigations", "Mitigation")],
        "functional_areas": [text(item) for item in children(element, "Functional_Areas", "Functional_Area")],
        "affected_resources": [text(item) for item in children(element, "Affected_Resources", "Affected_Resource")],
        "taxonomies": [_taxonomy(item) for item in children(element, "Taxonomy_Mappings", "Taxonomy_Mapping")],
        "capec": sorted(
            {f"CAPEC-{item.get('CAPEC_ID')}" for item in children(element, "Related_Attack_Patterns", "Related_Attack_Pattern")}
        ),
        "examples": [_demonstration(item) for item in children(element, "Demonstrative_Examples", "Demonstrative_Example")],
        "ordinalities": [
            text(child(item, "Ordinality")) for item in children(element, "Weakness_Ordinalities", "Weakness_Ordinality")
        ],
        "notes": [_present({"type": item.get("Type", ""), "note": text(item)}) for item in children(element, "Notes", "Note")],
        "mapping": mapping(element),
    }


def mapping(element: Any) -> dict[str, Any]:
    """Whether vulnerabilities may be mapped to the entry: {usage, rationale, comments, reasons, suggestions}."""
    notes = child(element, "Mapping_Notes")
    if notes is None:
        return {}
    said: dict[str, Any] = {name.lower(): text(child(notes, name)) for name in ("Usage", "Rationale", "Comments")}
    reasons = [item.get("Type", "") for item in children(notes, "Reasons", "Reason")]
    suggestions = [
        {"cwe": f"CWE-{item.get('CWE_ID', '')}", "comment": tidy(item.get("Comment", ""))}
        for item in children(notes, "Suggestions", "Suggestion")
    ]
    return said | _present({"reasons": reasons, "suggestions": suggestions})


def relations(element: Any) -> list[tuple[str, str, str]]:
    """(nature, number, view) of every related weakness."""
    items = children(element, "Related_Weaknesses", "Related_Weakness")
    return [(item.get("Nature", ""), item.get("CWE_ID", ""), item.get("View_ID", "")) for item in items]


def observed_examples(element: Any) -> list[tuple[str, str]]:
    """(reference, description) of the observed examples."""
    items = children(element, "Observed_Examples", "Observed_Example")
    return [(text(child(item, "Reference")), text(child(item, "Description"))) for item in items]


def line(section: str, item: dict[str, Any]) -> str:
    """One consequence, mitigation or detection method as a sentence or two."""
    if section == "consequences":
        return f"{', '.join(item.get('scopes', []))}: {', '.join(item.get('impacts', []))}. {item.get('note', '')}".strip()
    if section == "mitigations":
        head = "; ".join(part for part in (", ".join(item.get("phases", [])), item.get("strategy", "")) if part)
        return f"{head}: {item.get('description', '')}" if head else item.get("description", "")
    return f"{item.get('method', '')}: {item.get('description', '')}"


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _alternate(item: Any) -> dict[str, Any]:
    return _present({"term": text(child(item, "Term")), "description": text(child(item, "Description"))})


def _introduction(item: Any) -> dict[str, Any]:
    return _present({"phase": text(child(item, "Phase")), "note": text(child(item, "Note"))})


def _consequence(item: Any) -> dict[str, Any]:
    return _present({"scopes": texts(item, "Scope"), "impacts": texts(item, "Impact"), "note": text(child(item, "Note"))})


def _detection(item: Any) -> dict[str, Any]:
    names = ("Method", "Description", "Effectiveness")
    return _present({name.lower(): text(child(item, name)) for name in names})


def _mitigation(item: Any) -> dict[str, Any]:
    found = {name.lower(): text(child(item, name)) for name in ("Strategy", "Description", "Effectiveness")}
    return _present({"phases": texts(item, "Phase")} | found)


def _taxonomy(item: Any) -> dict[str, Any]:
    found = {"id": text(child(item, "Entry_ID")), "name": text(child(item, "Entry_Name"))}
    return _present({"taxonomy": item.get("Taxonomy_Name", "")} | found)


def _platforms(element: Any) -> list[str]:
    parent = child(element, "Applicable_Platforms")
    return [] if parent is None else sorted({name for item in parent if (name := item.get("Name") or item.get("Class"))})


def _demonstration(item: Any) -> dict[str, Any]:
    """Introduction, code blocks and explanations of a demonstrative example; code keeps its line breaks."""
    codes = [
        _present({"nature": code.get("Nature", ""), "language": code.get("Language", ""), "code": _code(code)})
        for code in item.iterchildren("{*}Example_Code")
    ]
    return _present({"intro": text(child(item, "Intro_Text")), "codes": codes, "explanations": texts(item, "Body_Text")})


def _code(element: Any) -> str:
    pieces: list[str] = []
    for part in element.iter():
        if isinstance(part.tag, str) and part.tag.rsplit("}", 1)[-1] in _BLOCKS:
            pieces.append("\n")
        pieces.append((part.text or "").strip("\n\t "))
        if part is not element:
            pieces.append((part.tail or "").strip("\n\t "))
    lines = ("".join(pieces)).split("\n")
    return "\n".join(stripped for line in lines if (stripped := line.rstrip()))
