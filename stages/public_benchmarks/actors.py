"""Threat actors: names through graphs of aliases (correct) and of related groups (plausible).

Follows CTI-Bench (arXiv 2406.07599, task CTI-TAA): an answer is correct if a chain of aliases joins it to the key,
plausible if a chain of aliases and related groups does. Two things differ from its script, both stated in README:
names are compared without case, spaces and punctuation, and the empty cells that its lists hold as `nan` join nothing.
"""

import json
import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.errors import InputError

_EMPTY = ("", "nan", "none", "unknown")
_GENERIC = re.compile(
    r"(?:^(?:the|threat actor|threat group|group)\s+)|(?:\s+(?:group|threat actor|threat group|apt)$)", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z0-9]+")

Graph = Mapping[str, set[str]]


class Actors:
    """The two graphs over normalised names, their edges walked both ways."""

    def __init__(self, aliases: Mapping[str, Sequence[str]], related: Mapping[str, Sequence[str]]) -> None:
        self._aliases, self._related = _graph(aliases), _graph(related)
        self._published = _graph(aliases, empty_joins=True), _graph(related, empty_joins=True)
        names = [*aliases, *related, *(name for names in (*aliases.values(), *related.values()) for name in names)]
        self.known = {normal(name) for name in names if normal(name) not in _EMPTY}

    def correct(self, answer: str, key: str) -> bool:
        """Whether a chain of aliases joins the two names; a name is its own alias."""
        return self._joined(normal(answer), normal(key), [self._aliases])

    def plausible(self, answer: str, key: str) -> bool:
        """Whether a chain of aliases and related groups joins them: correct answers are plausible, too."""
        return self._joined(normal(answer), normal(key), [self._aliases, self._related])

    def plausible_as_published(self, answer: str, key: str) -> bool:
        """The same with the empty cells of the lists as names: the figures of CTI-Bench's own script."""
        return self._joined(normal(answer), normal(key), self._published)

    def _joined(self, start: str, end: str, graphs: Sequence[Graph]) -> bool:
        if start in _EMPTY or end in _EMPTY:
            return False
        seen, queue = {start}, deque([start])
        while queue:
            name = queue.popleft()
            if name == end:
                return True
            near = {other for graph in graphs for other in graph.get(name, ())} - seen
            seen |= near
            queue.extend(sorted(near))
        return False


def read_actors(path: Path) -> Actors:
    """The graphs of a JSON file `{"alias": {name: [names]}, "related": {name: [names]}}`. Raises InputError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Actors(value["alias"], value["related"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is no file of alias and related graphs: {error}",
            allowed='{"alias": {"name": ["other name"]}, "related": {...}}',
            remedy="Convert the benchmark's two dictionaries to JSON; pickles of others are not loaded.",
        ) from error


def normal(name: str) -> str:
    """A name in small letters and digits only: `APT 28` and `apt-28` are one, and so are `Lazarus` and `Lazarus Group`."""
    short = _GENERIC.sub("", name.strip())
    return "".join(_WORD.findall(short.casefold())) or "".join(_WORD.findall(name.casefold()))


def _graph(edges: Mapping[str, Sequence[str]], *, empty_joins: bool = False) -> Graph:
    graph: dict[str, set[str]] = defaultdict(set)
    for name, others in edges.items():
        for other in others:
            one, two = normal(name), normal(other)
            if one != two and (empty_joins or (one not in _EMPTY and two not in _EMPTY)):
                graph[one].add(two)
                graph[two].add(one)
    return graph
