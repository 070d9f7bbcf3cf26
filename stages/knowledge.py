"""The knowledge graph in memory: entities by type, links by direction, splits, paths and hard negatives."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from math import gcd, log
from typing import Any, TypeVar

import msgspec

from stages.graph.schema import HardNegative, Path, Split
from stages.ingest.schema import Entity, Link
from stages.kinds import Kind
from stages.prose import is_cut
from stages.tables import content_id

TABLES: dict[str, Any] = {"entities": Entity, "links": Link, "splits": Split, "negatives": HardNegative, "paths": Path}
Item = TypeVar("Item")
TWIN = 0.5  # share of common words from which two texts may speak of the same
KINSHIP = ("subtechnique-of", "child-of")  # a parent or a child of a right answer may be right too


def read_knowledge(read: Callable[[str, type[Any]], list[Any]], *tables: str) -> "Knowledge":
    """The graph from the named tables of `data/graph`, each read by `read`, a path and a row type."""
    return Knowledge(**{name: read(f"data/graph/{name}.parquet", TABLES[name]) for name in tables})


class Knowledge:
    """Look-ups over the graph tables; everything is returned in a fixed order."""

    def __init__(
        self,
        entities: Iterable[Entity],
        links: Iterable[Link],
        splits: Iterable[Split],
        negatives: Iterable[HardNegative] = (),
        paths: Iterable[Path] = (),
    ) -> None:
        self.entities = {entity.id: entity for entity in entities if _is_live(entity)}
        self._own_names = {entity.id: entity.name for entity in self.entities.values()}
        self.paths = sorted(paths, key=lambda path: path.id)
        self._barred: frozenset[str] = frozenset()
        self._splits = {split.entity_id: split.split for split in splits}
        self._types: dict[str, list[Entity]] = defaultdict(list)
        self._out: dict[tuple[str, str], list[Link]] = defaultdict(list)
        self._in: dict[tuple[str, str], list[Link]] = defaultdict(list)
        for link in sorted(links, key=lambda link: (link.subject, link.relation, link.object, link.text, link.source)):
            if link.subject in self.entities and link.object in self.entities:
                self._out[link.relation, link.subject].append(link)
                self._in[link.relation, link.object].append(link)
        self._name_apart()
        for entity in sorted(self.entities.values(), key=lambda entity: entity.id):
            if not _is_stub(entity):
                self._types[entity.type].append(entity)
        self._negatives: dict[tuple[str, str], list[str]] = defaultdict(list)
        for negative in sorted(negatives, key=lambda one: (-one.similarity, one.subject, one.relation, one.object)):
            self._negatives[negative.subject, negative.relation].append(negative.object)
        self._family: dict[str, frozenset[str]] = {}
        self._index: dict[str, tuple[dict[str, list[str]], Counter[str]]] = {}

    def hold_back(self, kinds: Sequence[Kind]) -> None:
        """Forget what the benchmark asks: its links of held-out subjects, and every path over a held-out document.

        A subject that lost links is no wrong option any more: nobody can tell here what it is linked to.
        """
        asked = {(kind.relation.removeprefix("^"), kind.relation.startswith("^"), kind.subject) for kind in kinds}
        gone: set[Link] = set()
        for place in (self._out, self._in):
            for key, links in place.items():
                secret = {one for one in links if any(self._is_asked(one, *each) for each in asked)}
                gone |= secret
                place[key] = [one for one in links if one not in secret]
        ends = {end for link in gone for end in (link.subject, link.object)}
        self._barred = frozenset(end for end in ends if self.split(end) == "heldout")
        self.paths = [path for path in self.paths if not any(self.split(node) == "heldout" for node in path.nodes)]

    def _is_asked(self, link: Link, relation: str, backwards: bool, kind: str) -> bool:
        """Whether the benchmark asks for the other end of `link`."""
        end = link.object if backwards else link.subject
        return link.relation == relation and self.split(end) == "heldout" and self.entities[end].type == kind

    def hidden_names(self, *entity_ids: str) -> list[str]:
        """Names that give these entities or their relatives away: full and common ones, singular and plural."""
        relatives = {self._own_names[one] for entity_id in entity_ids for one in self.family(entity_id)}
        forms = {form for name in relatives for form in (name, *_plurals(name))}
        return sorted(forms.union(*(self.forms_of(one) for one in entity_ids)))

    def forms_of(self, entity_id: str) -> list[str]:
        """Every name of one entity, singular and plural."""
        return [form for name in self.names_of(entity_id) for form in (name, *_plurals(name))]

    def names_of(self, entity_id: str) -> list[str]:
        """The source's own name, the common one that it quotes, `(... 'Cross-site Scripting')`, and an actor's aliases."""
        entity, own = self.entities[entity_id], self._own_names[entity_id]
        quoted = [one for part in re.findall(r"\('([^()]+)'\)", own) for one in part.split("' or '")]
        terms = [str(one.get("term") or "") for one in entity.fields.get("alternate_terms") or [] if isinstance(one, dict)]
        terms += [str(one) for one in entity.fields.get("aliases") or []]
        bare = re.sub(r"\s*\([^()]*\)", "", own)
        return [one for one in dict.fromkeys([own, bare, *quoted, *terms]) if len(one) > 2]

    def of_type(self, *types: str) -> Iterator[Entity]:
        """All live entities of these types that are more than an id, by id."""
        for kind in types:
            yield from self._types.get(kind, [])

    def techniques(self) -> Iterator[Entity]:
        """Techniques of the enterprise matrix: the mobile one repeats its names with other contents."""
        return (one for one in self.of_type("technique") if one.fields.get("domain", "enterprise") == "enterprise")

    def split(self, entity_id: str) -> str:
        """train, dev or heldout; what has no split of its own is shared label vocabulary, hence train."""
        return self._splits.get(entity_id, "train")

    def links_from(self, entity_id: str, relation: str, *types: str) -> list[Link]:
        """Links with this subject, their objects of one of `types` (any if none is named)."""
        links = self._out.get((relation, entity_id), [])
        return [link for link in links if not types or self.entities[link.object].type in types]

    def links_to(self, entity_id: str, relation: str, *types: str) -> list[Link]:
        """Links with this object, their subjects of one of `types`."""
        links = self._in.get((relation, entity_id), [])
        return [link for link in links if not types or self.entities[link.subject].type in types]

    def objects(self, entity_id: str, relation: str, *types: str) -> list[Entity]:
        """Distinct objects that are more than an id, by id."""
        found = {link.object for link in self.links_from(entity_id, relation, *types)}
        return [self.entities[one] for one in sorted(found) if not _is_stub(self.entities[one])]

    def subjects(self, entity_id: str, relation: str, *types: str) -> list[Entity]:
        """Distinct subjects that are more than an id, by id."""
        found = {link.subject for link in self.links_to(entity_id, relation, *types)}
        return [self.entities[one] for one in sorted(found) if not _is_stub(self.entities[one])]

    def text(self, entity_id: str) -> str:
        """The entity's text, or nothing if the source cut it."""
        entity = self.entities[entity_id]
        return "" if entity.fields.get("text_cut") or is_cut(entity.text) else entity.text

    def family(self, entity_id: str) -> frozenset[str]:
        """The entity with its ancestors and descendants: never a distractor for one another."""
        if entity_id not in self._family:
            self._family[entity_id] = frozenset(self._walk(entity_id, up=True) | self._walk(entity_id, up=False))
        return self._family[entity_id]

    def hard_negatives(self, owner: str, relation: str) -> list[Entity]:
        """What is most like the right answers and linked to `owner` by no `relation`, the most similar first."""
        return [self.entities[one] for one in self._negatives.get((owner, relation), []) if one in self.entities]

    def distractors(
        self, owner: str, relation: str, right: Iterable[str], pool: Sequence[Entity], count: int, salt: str = ""
    ) -> list[Entity]:
        """Up to `count` entities of `pool` that are surely wrong: hard negatives of `owner` first, then by hash.

        `relation` with a leading `^` asks for subjects instead of objects. `right` are all right answers; their
        relatives and namesakes are no distractors either.
        """
        barred = {owner}.union(*(self.family(one) for one in right))
        names = {self.entities[one].name.casefold() for one in barred if one not in self._barred}
        hard = self._negatives.get((owner, relation), [])
        allowed = {entity.id for entity in pool} if hard else set()
        near = [self.entities[one] for one in hard if one in allowed]
        chosen: list[Entity] = []
        for entity in chain(near, shuffled(pool, salt, owner, relation)):
            if entity.id in barred or entity.id in self._barred or entity.name.casefold() in names:
                continue
            chosen.append(entity)
            names.add(entity.name.casefold())
            barred.add(entity.id)
            if len(chosen) == count:
                break
        return chosen

    def closest_by_name(self, text: str, pool: Sequence[Entity], count: int) -> list[Entity]:
        """Members of `pool` whose names share with `text` words that are rare in the texts of their type."""
        scores: dict[str, float] = defaultdict(float)
        for kind in sorted({entity.type for entity in pool}):
            index, frequency = self._words_of(kind)
            for word in sorted(_words(text) & index.keys()):
                for one in index[word]:
                    scores[one] += log((1 + len(self._types[kind])) / (1 + frequency[word]))
        rank = {one: score / (1 + len(self.entities[one].name.split())) ** 0.5 for one, score in scores.items()}
        return sorted(pool, key=lambda entity: (-round(rank.get(entity.id, 0.0), 6), entity.id))[:count]

    def closest_by_text(self, owner: str, pool: Sequence[Entity], count: int) -> list[Entity]:
        """Members of `pool` told in words like those of `owner`, the rarer the better; not those told in nearly the same words."""
        own = _words(self.text(owner))
        kind = self.entities[owner].type
        frequency, size = self._words_of(kind)[1], len(self._types[kind])
        scores = {}
        for one in pool:
            words = _words(one.text)
            shared = words & own
            if shared and len(shared) < TWIN * len(words | own):
                weight = sum(log((1 + size) / (1 + frequency[word])) for word in sorted(shared))
                scores[one.id] = round(weight / len(words) ** 0.5, 6)
        return sorted((one for one in pool if one.id in scores), key=lambda one: (-scores[one.id], one.id))[:count]

    def _words_of(self, kind: str) -> tuple[dict[str, list[str]], Counter[str]]:
        """Word -> ids of the entities of a type whose names hold it; word -> number of their texts that hold it."""
        if kind not in self._index:
            index: dict[str, list[str]] = defaultdict(list)
            frequency: Counter[str] = Counter()
            for entity in self._types[kind]:
                frequency.update(_words(entity.text))
                for word in _words(entity.name):
                    index[word].append(entity.id)
            self._index[kind] = dict(index), frequency
        return self._index[kind]

    def _name_apart(self) -> None:
        """Name techniques of one name by their parents: `Data Obfuscation: Steganography`."""
        shown = Counter(one.name.casefold() for one in self.entities.values() if _is_asked_technique(one))
        for entity in [one for one in self.entities.values() if _is_asked_technique(one) and shown[one.name.casefold()] > 1]:
            parents = sorted(link.object for link in self._out.get(("subtechnique-of", entity.id), []))
            if parents:
                name = f"{self._own_names[parents[0]]}: {entity.name}"
                self.entities[entity.id] = msgspec.structs.replace(entity, name=name)

    def _walk(self, start: str, *, up: bool) -> set[str]:
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            for relation in KINSHIP:
                links = self._out.get((relation, here), []) if up else self._in.get((relation, here), [])
                for link in links:
                    other = link.object if up else link.subject
                    if other not in seen:
                        seen.add(other)
                        todo.append(other)
        return seen


def _is_live(entity: Entity) -> bool:
    return not entity.deprecated and not entity.revoked_by


def _is_stub(entity: Entity) -> bool:
    """Known only as an id that other records mention: a step of a chain, never a subject or an option."""
    return bool(entity.fields.get("stub"))


def _is_asked_technique(entity: Entity) -> bool:
    return entity.type == "technique" and entity.fields.get("domain", "enterprise") == "enterprise"


def _plurals(name: str) -> list[str]:
    """Plural forms by the regular rules."""
    return [name[:-1] + "ies"] if name.endswith("y") else [name + "s", name + "es"]


def shuffled(pool: Sequence[Item], *salt: str) -> Iterator[Item]:
    """`pool` in an order of its own for each `salt`: a start and a stride from the hash, without hashing every member."""
    size = len(pool)
    if not size:
        return
    number = int(content_id(*salt), 16)
    step = next(one for one in range(number // size % size or 1, 2 * size + 1) if gcd(one, size) == 1)
    for place in range(size):
        yield pool[(number + place * step) % size]


def _words(text: str) -> set[str]:
    """Stems of the longer words: the first six letters stand for a word's forms."""
    return {word[:6] for word in re.findall(r"[a-z]{4,}", text.lower())}
