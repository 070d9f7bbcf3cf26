"""Texts of the bundle as prose, and the execution flow, which is HTML in a string, as steps.

The bundle keeps markup of its source with the prefix `xhtml:` and puts the flow into elements of its own. Any other
angle bracket (`<script>`, `<object>`) is content of a text about web attacks and stays.
"""

import re
from typing import Any

from stages.ingest.text import clean

FLOW_LIMIT = 200_000  # characters; the longest flow has 11,000
_BLOCK = re.compile(r"</?xhtml:(?:br|div|h[1-6]|li|ol|p|pre|table|td|th|tr|ul)\b[^<>]*>")
_INLINE = re.compile(r"</?xhtml:\w+\b[^<>]*>")
_CONTENT_BRACKET = re.compile(r"<(?!/?(?:b|div|h[23]|li|ol|p|table|tbody|td|th|tr)>)")  # what the flow is not built of


def prose(text: str) -> str:
    """A text of the bundle, one line per block: the source wraps and indents its lines inside of blocks."""
    flat = " ".join(text.split())
    return clean(_INLINE.sub("", _BLOCK.sub("\n", flat)), tags=False)


def steps(flow: str) -> list[dict[str, Any]]:
    """The execution flow as numbered steps: {step, phase, name, description, techniques}; empty values are left out.

    Raises ValueError for a text that is too long or nested too deep to be a flow.
    """
    if len(flow) > FLOW_LIMIT:
        raise ValueError(f"an execution flow of {len(flow):,} characters; at most {FLOW_LIMIT:,}")
    found: list[dict[str, Any]] = []
    phase = ""
    for element in _elements(flow):
        if element.tag == "h3":
            phase = _text(element)
        elif element.tag == "li":
            found.append(_step(element, phase))
        elif found and (technique := _text(element)):
            found[-1].setdefault("techniques", []).append(technique)
    said = (step for step in found if step.get("description") or step.get("name"))
    return [{"step": number} | step for number, step in enumerate(said, start=1)]


def _elements(flow: str) -> list[Any]:
    """Headings, items and cells in their order. The parser sees no element but those: all other brackets are escaped."""
    from lxml import etree, html

    if not flow.strip():
        return []
    source = _CONTENT_BRACKET.sub("&lt;", flow.replace("&", "&amp;"))
    try:
        root = html.fragment_fromstring(source, create_parent="div")
    except (etree.LxmlError, ValueError) as error:
        raise ValueError(f"an execution flow that is no HTML: {error}") from error
    return list(root.iter("h3", "li", "td"))


def _text(element: Any) -> str:
    return prose("".join(element.itertext()))


def _step(item: Any, phase: str) -> dict[str, Any]:
    """The bold beginning of an item is the step's name: `<b>Survey application: </b>The adversary ...`."""
    bold = next(iter(item.iter("b")), None)
    name = "" if bold is None else "".join(bold.itertext())
    body = "".join(item.itertext()).strip()
    described = prose(body[len(name.strip()) :] if name and body.startswith(name.strip()) else body)
    values = {"phase": phase, "name": prose(name).rstrip(": "), "description": described}
    return {key: value for key, value in values.items() if value}
