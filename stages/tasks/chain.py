"""Sampled paths of the graph: say how two nodes are connected, and find the node that is missing between them."""

from collections.abc import Iterator
from functools import cache

from stages.errors import InputError
from stages.graph.schema import Path
from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import fill, sentence
from stages.tasks.catalogue import FOLDER, read_yaml
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, titled

Drafts = Iterator[Draft | Skip]


def node_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Two nodes -> the chain of links between them, in order."""
    for path, nodes in _live_paths(knowledge):
        steps = [f"{place}. {step}" for place, step in enumerate(_steps(path, nodes), start=1)]
        slots = {"start": label(nodes[0]), "end": label(nodes[-1])}
        yield Draft(subject=nodes[0].id, slots=slots, answer="\n".join(steps), entities=path.nodes[1:])


def path_gap(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """First and last node of two links -> the node between them, among nodes that fit one end only; one path a start."""
    asked: set[str] = set()
    for path, nodes in _live_paths(knowledge):
        start, middle, end = nodes[0], nodes[1], nodes[-1]
        if len(nodes) != 3 or middle.fields.get("stub") or start.id in asked:
            continue
        if "vulnerability" in (start.type, end.type):  # a bare number says nothing to reason from
            continue
        if middle.name.casefold() in f"{start.name} {end.name}".casefold():
            yield Skip(start.id, "names-the-answer")
            continue
        asked.add(start.id)
        behind, before = path.relations
        linked = neighbours(knowledge, start, behind, middle.type)
        half = neighbours(knowledge, end, before[1:] if before.startswith("^") else f"^{before}", middle.type)
        others = [one for one in linked if one.id != middle.id]
        slots = {"start": label(start), "end": label(end), "kind": middle.type.replace("-", " ")}
        near = [one for one in half if one.id not in {one.id for one in linked}]
        pool = list(knowledge.techniques() if middle.type == "technique" else knowledge.of_type(middle.type))
        because = " ".join(_steps(path, nodes))
        yield choice(
            knowledge, start, slots, middle, others, pool, relation=behind, because=because, near=near, group=middle.type
        )


def _live_paths(knowledge: Knowledge) -> Iterator[tuple[Path, list[Entity]]]:
    """Paths whose nodes are all in force and whose ends are more than an id."""
    for path in knowledge.paths:
        if all(node in knowledge.entities for node in path.nodes):
            nodes = [knowledge.entities[node] for node in path.nodes]
            if not nodes[0].fields.get("stub") and not nodes[-1].fields.get("stub"):
                yield path, nodes


def neighbours(knowledge: Knowledge, entity: Entity, relation: str, kind: str) -> list[Entity]:
    """Entities of a type one link away; `^` follows the link against its direction."""
    if relation.startswith("^"):
        return knowledge.subjects(entity.id, relation[1:], kind)
    return knowledge.objects(entity.id, relation, kind)


def _steps(path: Path, nodes: list[Entity]) -> list[str]:
    """One sentence for each link, with the link's own direction."""
    sentences = []
    for relation, one, other in zip(path.relations, nodes, nodes[1:], strict=False):
        subject, object = (other, one) if relation.startswith("^") else (one, other)
        sentences.append(say(relation.removeprefix("^"), subject, object, f"Path {path.id}"))
    return sentences


def say(relation: str, subject: Entity, object: Entity, where: str) -> str:
    """A link as a sentence. Raises InputError that names `where` the relation stands if nobody has put it into words."""
    if relation not in sayings():
        raise InputError(
            f"{where} has the relation `{relation}`.",
            allowed=", ".join(sorted(sayings())),
            remedy="Say it in stages/tasks/relations.yaml.",
        )
    return sentence(fill(sayings()[relation], {"subject": label(subject), "object": label(object)}))


def label(entity: Entity) -> str:
    """Type and name, with the id where people use it."""
    if entity.type in ("sigma-rule", "cloud-check"):
        return f"the {entity.type.replace('-', ' ')} '{entity.name}'"
    return f"the {entity.type.replace('-', ' ')} {titled(entity)}"


@cache
def sayings() -> dict[str, str]:
    """Relation -> sentence about subject and object."""
    return read_yaml(FOLDER / "relations.yaml")
