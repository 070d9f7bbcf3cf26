"""The D3FEND ontology as plain data: classes, what they are below, and what they do to what.

An OWL ontology states `file analysis analyzes file` as a restriction: every file analysis is something that analyzes some
file. Of OWL only that and the subclass relation are used; nothing is inferred that is not said here.
"""

import logging
from functools import cached_property
from typing import Any

from stages.errors import InputError
from stages.ingest.records import SourceFiles

SIZE_LIMIT = 64 << 20  # bytes: a parsed triple takes some hundred times its text; D3FEND's built form has 8 MB
NAMESPACE = "http://d3fend.mitre.org/ontologies/d3fend.owl#"


class Ontology:
    """Questions to the graph, answered by the local names of classes (`FileAnalysis`)."""

    def __init__(self, graph: Any) -> None:
        from rdflib import OWL, RDFS, Namespace

        self._graph, self._own, self._owl, self._rdfs = graph, Namespace(NAMESPACE), OWL, RDFS

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for inner, outer in self._graph.subject_objects(self._rdfs.subClassOf):
            if (child := _local(inner)) and (parent := _local(outer)):
                found.setdefault(parent, []).append(child)
        return found

    def below(self, name: str) -> set[str]:
        """Every class below `name`, itself left out."""
        found: set[str] = set()
        open_names = [name]
        while open_names:
            new = [child for child in self._children.get(open_names.pop(), []) if child not in found and child != name]
            found.update(new)
            open_names += new
        return found

    def parents(self, name: str) -> list[str]:
        """The classes directly above, sorted."""
        above = self._graph.objects(self._own[name], self._rdfs.subClassOf)
        return sorted({parent for one in above if (parent := _local(one))})

    def above(self, name: str) -> list[str]:
        """`name` and every class above it, the nearest first."""
        found = [name]
        for one in found:
            found += [parent for parent in self.parents(one) if parent not in found]
        return found

    def statements(self, name: str) -> list[tuple[str, str]]:
        """(verb, class): what the restrictions of `name` say that it does to what, sorted."""
        found = set()
        for node in self._graph.objects(self._own[name], self._rdfs.subClassOf):
            verb = _local(self._graph.value(node, self._owl.onProperty))
            object = _local(self._graph.value(node, self._owl.someValuesFrom))
            if verb and object:
                found.add((verb, object))
        return sorted(found)

    def texts(self, name: str, property: str) -> list[str]:
        """The literals of a property of D3FEND (`definition`), or `label` and `altLabel`, sorted."""
        from rdflib import SKOS

        known = {"label": self._rdfs.label, "altLabel": SKOS.altLabel}.get(property) or self._own[property]
        return sorted({str(one) for one in self._graph.objects(self._own[name], known)})

    def text(self, name: str, property: str) -> str:
        """The first of them, or empty."""
        return next(iter(self.texts(name, property)), "")

    def named(self, name: str, property: str) -> list[str]:
        """Local names of what a property of D3FEND points to, sorted."""
        return sorted({found for one in self._graph.objects(self._own[name], self._own[property]) if (found := _local(one))})

    def holders(self, property: str) -> dict[str, str]:
        """Literal of a property of D3FEND by the class that has it; of several the first."""
        found: dict[str, str] = {}
        for subject, value in sorted(self._graph.subject_objects(self._own[property]), key=lambda pair: tuple(map(str, pair))):
            if name := _local(subject):
                found.setdefault(name, str(value))
        return found

    def version(self) -> str:
        """What the ontology says of its own version; the source form says nothing."""
        return next((str(one) for one in self._graph.objects(None, self._owl.versionInfo)), "")


def read_ontology(files: SourceFiles, role: str) -> Ontology:
    """The Turtle file `role`. Raises InputError for a file that is none."""
    from rdflib import Graph

    content = files.read(role)
    if len(content) > SIZE_LIMIT:
        raise InputError(f"{files.where(role)} has {len(content):,} bytes.", allowed=f"an ontology of at most {SIZE_LIMIT:,}")
    logging.getLogger("rdflib").setLevel(logging.ERROR)  # it warns of each literal that is no date; none is read here
    try:
        graph = Graph().parse(data=content, format="turtle")
    except Exception as error:  # rdflib states no type for what a broken document raises: SyntaxError, ValueError, KeyError ...
        raise InputError(
            f"{files.where(role)} is not a Turtle document: {' '.join(str(error).split())[:200]}",
            allowed="the D3FEND ontology as Turtle",
            remedy="Pin a whole file: https://d3fend.mitre.org/ontologies/d3fend.ttl",
        ) from error
    return Ontology(graph)


def _local(node: Any) -> str:
    """The name of a class or property of D3FEND's own namespace, or empty."""
    text = str(node) if node is not None else ""
    return text[len(NAMESPACE) :] if text.startswith(NAMESPACE) else ""
