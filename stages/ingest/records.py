"""What a reader is given (`SourceFiles`) and what it fills (`Records`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from stages.errors import InputError
from stages.fetch import open_member, read_member, read_members
from stages.ingest.containers import CONTENT_LIMIT, READ_ERRORS, Member, TooLarge, kind_of, members, open_unpacked
from stages.ingest.params import Source
from stages.ingest.schema import Entity, Link, Passage
from stages.ingest.text import paragraphs
from stages.ingest.yaml_documents import BrokenYaml, parse_yaml
from stages.tables import Reject

Record = TypeVar("Record", bound=msgspec.Struct)
ID_KEYS = ("id", "ID", "SID", "uuid", "stix_id", "cveID", "req_id", "capability_id", "doc_title")  # of the known layouts
MIN_PASSAGE = 30  # characters: less is a heading, not something to retrieve


class SourceFiles:
    """The files of one source declaration, by role. Errors name the source, the file and the member."""

    def __init__(self, name: str, source: Source, paths: dict[str, Path]) -> None:
        self.name, self.source, self._paths = name, source, paths

    def where(self, role: str) -> str:
        """File and member of `role`, for messages."""
        file = self._file(role)
        return f"source `{self.name}`: {self._paths[file.pin].name}{f' > {file.member}' if file.member else ''}"

    def has(self, role: str) -> bool:
        """Whether the declaration names a file for `role`: some files only add to what others say."""
        return role in self.source.files

    def read(self, role: str) -> bytes:
        """All bytes of the file `role`, unpacked if it is gzip or xz."""
        file = self._file(role)
        path = self._paths[file.pin]
        if file.member and kind_of(path) == "zip":
            return read_member(path, file.member)
        with self.open(role) as stream:
            return stream.read()

    @contextmanager
    def open(self, role: str) -> Iterator[IO[bytes]]:
        """The file `role` as a stream, unpacked if it is gzip or xz. Errors are raised as InputError."""
        file = self._file(role)
        path = self._paths[file.pin]
        if file.member:
            with open_member(path, file.member) as stream:
                yield stream
            return
        try:
            with open_unpacked(path) as stream:
                yield stream
        except TooLarge:
            raise InputError(f"{self.where(role)} unpacks to more than {CONTENT_LIMIT:,} bytes.") from None
        except READ_ERRORS as error:
            raise InputError(f"{self.where(role)} cannot be read: {error}", remedy="Pin a whole file.") from error

    def each(self, role: str, records: "Records", pattern: str = "*") -> Iterator[Member]:
        """The files of the archive `role` that match `member` of its declaration (a shell pattern) or else `pattern`.

        What cannot be read is a reject of `records`, named by file and reason, and the rest goes on.
        """
        file = self._file(role)
        path = self._paths[file.pin]
        for member in members(path, file.member or pattern):
            if isinstance(member, Member):
                yield member
            else:
                records.reject(f"{path.name} > {member.name}", member.reason, member.detail)

    def members(self, role: str, pattern: str) -> dict[str, bytes]:
        """All files in the folder `role` whose paths below it match the shell pattern, by name."""
        file = self._file(role)
        return read_members(self._paths[file.pin], file.member + pattern)

    def decode(self, role: str, layout: type[Record]) -> Record:
        """The JSON file `role`; InputError names the key that is missing or of another type."""
        try:
            return msgspec.json.decode(self.read(role), type=layout)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(
                f"{self.where(role)} does not have the expected layout: {error}.",
                allowed=f"the layout that the reader `{self.source.reader}` knows ({layout.__module__}.{layout.__name__})",
                remedy="Pin the version that the reader knows (git log params.yaml), or extend the reader.",
            ) from error

    def check_version(self, role: str, found: str, supported: str) -> None:
        """The file's own version must be the declared one, and its major version one that the reader knows."""
        declared = self.source.version
        if found != declared or found.split(".")[0] != supported.split(".")[0]:
            raise InputError(
                f"{self.where(role)} says it is version {found or '(none)'}; params.yaml declares {declared}.",
                allowed=f"{declared}, of major version {supported}",
                remedy=f"Set ingest.sources.{self.name}.version to the file's version if the reader supports it, or pin the other file.",
            )

    def _file(self, role: str) -> Any:
        try:
            return self.source.files[role]
        except KeyError:
            raise InputError(
                f"source `{self.name}` declares no file `{role}`, which the reader `{self.source.reader}` needs.",
                allowed=", ".join(sorted(self.source.files)) or "none are declared",
                remedy=f"Add ingest.sources.{self.name}.files.{role} to params.yaml.",
            ) from None


class Packed(msgspec.Struct):
    """What a reader made, as a worker hands it over."""

    entities: list[Entity]
    links: list[Link]
    passages: list[Passage]
    rejects: list[Reject]
    benchmark_cves: dict[str, int]


class Records:
    """Rows of one source; source name, version and licence are filled in from its declaration."""

    def __init__(self, name: str, source: Source, passage_chars: int) -> None:
        self.name, self.source, self.passage_chars = name, source, passage_chars
        self.entities: list[Entity] = []
        self.links: list[Link] = []
        self.passages: list[Passage] = []
        self.rejects: list[Reject] = []
        self.benchmark_cves: dict[str, int] = {}  # how much named a CVE of a public benchmark and is gone

    def packed(self) -> bytes:
        """All rows as bytes."""
        return msgspec.msgpack.encode(Packed(self.entities, self.links, self.passages, self.rejects, self.benchmark_cves))

    def unpacked(self, content: bytes) -> "Records":
        """Itself, filled with the rows that `packed` gave."""
        made = msgspec.msgpack.decode(content, type=Packed)
        self.entities, self.links, self.passages = made.entities, made.links, made.passages
        self.rejects, self.benchmark_cves = made.rejects, made.benchmark_cves
        return self

    def entity(self, id: str, type: str, name: str, text: str, uri: str, fields: dict[str, Any], **more: Any) -> Entity:
        """Add an entity; empty values of `fields` are left out. `more`: licence, published, deprecated, revoked_by."""
        kept = {key: value for key, value in fields.items() if value not in ("", [], {}, None)}
        defaults = {"licence": self.source.licence, "source": self.name, "version": self.source.version}
        entity = Entity(id=id, type=type, name=name, text=text, uri=uri, fields=kept, **(defaults | more))
        self.entities.append(entity)
        return entity

    def link(self, subject: str, relation: str, object: str, text: str = "", licence: str = "") -> None:
        """Add a link."""
        licence = licence or self.source.licence
        self.links.append(Link(subject=subject, relation=relation, object=object, text=text, source=self.name, licence=licence))

    def passage(self, entity: Entity, section: str, text: str, title: str = "") -> None:
        """Add the passages of one section: `<id>#<section>`, then `-2`, `-3` where the text is long."""
        if len(text) < MIN_PASSAGE:
            return
        label = title or f"{entity.id.split(':', 1)[1]} {entity.name}"
        for number, piece in enumerate(paragraphs(text, self.passage_chars), start=1):
            suffix = section if number == 1 else f"{section}-{number}"
            self.passages.append(
                Passage(
                    id=f"{entity.id}#{suffix}",
                    entity_id=entity.id,
                    title=label,
                    text=piece,
                    source=entity.source,
                    version=entity.version,
                    uri=entity.uri,
                    licence=entity.licence,
                )
            )

    def reject(self, record: str, reason: str, detail: str = "") -> None:
        """Count a record that is not used."""
        self.rejects.append(Reject(source=self.name, record=record[:120], reason=reason, detail=detail[:300]))

    def convert(self, raws: list[msgspec.Raw], layout: type[Record], start: int = 0) -> Iterator[Record]:
        """The records that have the layout; each of the others is one reject and the rest runs.

        A reject bears the place of the record, counted from `start`, and the id that the record gives itself.
        """
        for number, raw in enumerate(raws, start):
            try:
                record = msgspec.json.decode(raw, type=layout)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self.reject(f"{layout.__name__} {number} {_own_id(raw)}".strip(), "broken-record", str(error))
            else:
                yield record

    def decode_json(self, member: Member, layout: type[Record]) -> Record | None:
        """The JSON file as `layout`, or None and a reject that names the file and the key that is missing or wrong."""
        try:
            return msgspec.json.decode(member.content, type=layout)
        except UnicodeDecodeError as error:
            self.reject(member.name, "not-utf8", str(error))
        except (msgspec.DecodeError, RecursionError) as error:
            self.reject(member.name, "broken-record", str(error))
        return None

    def decode_yaml(self, member: Member, layout: type[Record]) -> Record | None:
        """The YAML file as `layout`, or None and a reject with the reason."""
        try:
            return msgspec.convert(parse_yaml(member.content), type=layout, strict=False)
        except BrokenYaml as error:
            self.reject(member.name, "not-utf8" if "UTF-8" in str(error) else "broken-yaml", str(error))
        except (msgspec.ValidationError, RecursionError) as error:
            self.reject(member.name, "broken-record", str(error))
        return None


def _own_id(raw: msgspec.Raw) -> str:
    """What a record of unknown layout calls itself, or nothing."""
    try:
        values = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return next((values[key] for key in ID_KEYS if isinstance(values.get(key), str)), "")
