"""The user's own tickets, reports and Sigma rules from a folder: data/own/README.md says what a file may hold.

Files are read in the order of their names, so that the same folder gives the same rows on every machine.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from stages.errors import InputError
from stages.ingest.containers import Member
from stages.ingest.markdown import Section, prose, read_page
from stages.ingest.params import IngestParams, Source
from stages.ingest.records import Records
from stages.ingest.schema import Entity
from stages.ingest.sigma_rule import add_rule, iso_date, read_rules
from stages.ingest.text import clean
from stages.ingest.yaml_documents import BrokenYaml, parse_yaml
from stages.tables import Reject

FOLDER = Path("data/own")
NAME = "own"  # of the source in figures and rows
LINE_LIMIT = 1 << 20  # bytes of one record, or of one file that holds only one
ALLOWED = ".jsonl, .md, .yml, .yaml"
_FRONT = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_UNFIT = re.compile(r"[^\w.\-/]+")
_LISTING = re.compile(r"[,;|\s]+")
Labels = list[str | int] | str | int | None


class Label(msgspec.Struct, frozen=True):
    """A key that names things of the graph: how an id may be written, how it is written there, what the link says."""

    spelling: re.Pattern[str]
    written: str
    namespace: str
    relation: str


_LABELS = {
    "cwe": Label(re.compile(r"(?:CWE-?)?0*(\d{1,5})"), "CWE-{}", "cwe", "shows"),
    "technique": Label(re.compile(r"(T\d{4}(?:\.\d{3})?)"), "{}", "attack", "describes"),
    "cve": Label(re.compile(r"(CVE-\d{4}-\d{4,})"), "{}", "cve", "reports"),
}


class OwnRecord(msgspec.Struct):
    """One ticket or report: a line of JSONL, or the front matter of a page and its text."""

    text: str
    id: str | int = ""
    kind: Literal["ticket", "report"] = "ticket"
    title: str = ""
    cwe: Labels = None
    technique: Labels = None
    cve: Labels = None
    url: str = ""
    licence: str = ""
    published: Any = ""


def read_own(params: IngestParams, folder: Path = FOLDER) -> Records | None:
    """Everything in `folder`; None if it holds no data.

    Raises InputError if there are files of which not one record can be used: data that silently stays out is no data.
    """
    source = Source(reader=NAME, version=params.own.version, licence=params.own.licence, files={})
    records = Records(NAME, source, params.passage_chars)
    files = _files(folder)
    reader = _Reader(params.own.keys, records)
    for name, path in files:
        reader.read(name, path)
    if files and not records.entities:
        raise _nothing_usable(folder, records.rejects)
    return records if files else None


def _files(folder: Path) -> list[tuple[str, Path]]:
    """(path below `folder`, file) in the order of the paths; hidden files and this folder's page are no data."""
    found = ((path.relative_to(folder), path) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(
        (os.fsencode(name).decode("utf-8", errors="replace"), path)
        for name, path in found
        if name.as_posix() != "README.md" and not any(part.startswith(".") for part in name.parts)
    )


def _nothing_usable(folder: Path, rejects: list[Reject]) -> InputError:
    reasons = "; ".join(f"{reject.record}: {reject.reason} {reject.detail}".strip() for reject in rejects[:3])
    return InputError(
        f"{folder} holds files, but no record that can be used ({reasons or 'they are empty'}).",
        allowed=f"files {ALLOWED} as {folder}/README.md describes them",
        remedy="Mend the files, or empty the folder to build without them.",
    )


class _Reader:
    """Fills `records`, and knows which ids it has given."""

    def __init__(self, keys: dict[str, str], records: Records) -> None:
        self._keys, self._records = keys, records
        self._seen: set[str] = set()

    def read(self, name: str, path: Path) -> None:
        """One file, by its ending."""
        ending = path.suffix.lower()
        if path.is_symlink() or not path.is_file():
            self._records.reject(name, "not-a-file", "a link or a device; put the file itself here")
        elif ending == ".jsonl":
            self._read_lines(name, path)
        elif ending not in (".md", ".yml", ".yaml"):
            self._records.reject(name, "unknown-file-type", f"allowed: {ALLOWED}")
        elif path.stat().st_size > LINE_LIMIT:
            self._records.reject(name, "oversized", f"{path.stat().st_size:,} bytes; at most {LINE_LIMIT:,}")
        elif ending == ".md":
            self._read_report(Member(name, path.read_bytes()))
        else:
            self._read_rules(Member(name, path.read_bytes()))

    def _read_lines(self, name: str, path: Path) -> None:
        for number, line in _lines(path):
            where = f"{name} line {number}"
            if len(line) > LINE_LIMIT:
                self._records.reject(where, "oversized", f"more than {LINE_LIMIT:,} bytes")
                continue
            try:
                values = msgspec.json.decode(line)
            except UnicodeDecodeError as error:
                self._records.reject(where, "not-utf8", str(error))
            except (msgspec.DecodeError, RecursionError) as error:
                self._records.reject(where, "broken-record", str(error))
            else:
                self._add(values, name, number, where, [])

    def _read_report(self, member: Member) -> None:
        front = _FRONT.match(member.content)
        try:
            values = (parse_yaml(front[1]) if front else None) or {}
        except BrokenYaml as error:
            self._records.reject(member.name, "broken-yaml", f"front matter: {error}")
            return
        sections = read_page(Member(member.name, member.content[front.end() if front else 0 :]), self._records, whole=True)
        if sections is None:
            return
        if isinstance(values, dict):
            title = next((section.heading for section in sections if section.level == 1), Path(member.name).stem)
            values = {"kind": "report", self._keys.get("title", "title"): title} | values
            values[self._keys.get("text", "text")] = prose(sections)
        self._add(values, member.name, 0, member.name, sections)

    def _read_rules(self, member: Member) -> None:
        for number, rule in enumerate(read_rules(member, self._records), start=1):
            file = _UNFIT.sub("-", member.name.rsplit(".", 1)[0])
            id = f"sigma:{rule.id or f'own/{file}-{number}'}"
            if self._is_new(id, f"{member.name} {rule.title}"):
                licence = rule.license or self._records.source.licence
                uri = f"{FOLDER.as_posix()}/{member.name}"
                add_rule(rule, self._records, id=id, uri=uri, filename=member.name, licence=licence)

    def _add(self, values: Any, name: str, number: int, where: str, sections: list[Section]) -> None:
        """A ticket or report with its links and passages."""
        record = _record(values, self._keys, where, self._records)
        if record is None:
            return
        text = record.text if sections else clean(record.text, markdown=True, tags=False)
        id = _id(record, name, number)
        if not text.strip():
            self._records.reject(where, "empty-text", id)
        elif self._is_new(id, where):
            labels = {key: _labels(key, getattr(record, key), where, self._records) for key in _LABELS}
            entity = self._entity(record, id, name, text, labels, sections)
            for key, label in _LABELS.items():
                for found in labels[key]:
                    self._records.link(id, label.relation, f"{label.namespace}:{found}", licence=entity.licence)
            _add_passages(entity, sections, self._records)

    def _entity(
        self, record: OwnRecord, id: str, name: str, text: str, labels: dict[str, list[str]], sections: list[Section]
    ) -> Entity:
        title = clean(record.title, markdown=True, tags=False)
        listed = [{"heading": one.heading, "under": one.under, "text": one.text} for one in sections if one.lines]
        return self._records.entity(
            id,
            record.kind,
            title or id.split(":", 1)[1],
            text,
            record.url if record.url.startswith(("https://", "http://")) else f"{FOLDER.as_posix()}/{name}",
            {"title": title, **labels, "sections": listed},
            licence=record.licence or self._records.source.licence,
            published=iso_date(record.published),
        )

    def _is_new(self, id: str, where: str) -> bool:
        if id in self._seen:
            self._records.reject(where, "duplicate-id", id)
            return False
        self._seen.add(id)
        return True


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, line) of those that are not blank; of a line that is too long only its beginning."""
    number, is_start = 0, True
    with open(path, "rb") as file:
        while line := file.readline(LINE_LIMIT + 1):
            number += is_start
            if is_start and line.strip(b"\xef\xbb\xbf \t\r\n"):
                yield number, line.removeprefix(b"\xef\xbb\xbf")
            is_start = line.endswith(b"\n")


def _record(values: Any, keys: dict[str, str], where: str, records: Records) -> OwnRecord | None:
    """The record under our keys, or None and a reject that names the key that is missing or wrong."""
    if not isinstance(values, dict):
        records.reject(where, "broken-record", f"expected keys and values, found {type(values).__name__}")
        return None
    ours = {theirs: ours for ours, theirs in keys.items()}
    renamed = {ours.get(str(key), str(key)): value for key, value in values.items() if str(key) in ours or str(key) not in keys}
    try:
        return msgspec.convert({key: value for key, value in renamed.items() if value is not None}, OwnRecord, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        records.reject(where, "broken-record", str(error))
        return None


def _labels(key: str, given: Labels, where: str, records: Records) -> list[str]:
    """Ids as their publishers write them; what is no id is a reject, and the record stays without it."""
    values = given if isinstance(given, list) else [] if given is None else [given]
    parts = [part for value in values for part in _LISTING.split(str(value)) if part]
    found = {part: _LABELS[key].spelling.fullmatch(part.upper()) for part in parts}
    for part in sorted(part for part, match in found.items() if not match):
        records.reject(where, "bad-id", f"key `{key}`: `{part}` is no such id; the record is kept without it")
    return sorted({_LABELS[key].written.format(match[1]) for match in found.values() if match})


def _id(record: OwnRecord, name: str, number: int) -> str:
    """`ticket:<file>/<id or line>`; `report:<file>` for a page."""
    last = str(record.id) or (str(number) if number else "")
    file = name.rsplit(".", 1)[0]
    return f"{record.kind}:{_UNFIT.sub('-', f'{file}/{last}' if last else file)}"


def _add_passages(entity: Entity, sections: list[Section], records: Records) -> None:
    if not sections:
        records.passage(entity, "text", entity.text, entity.name)
    for number, section in enumerate(sections, start=1):
        records.passage(entity, f"section-{number}", section.text, f"{entity.name}: {section.heading}".rstrip(": "))
