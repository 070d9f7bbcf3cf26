"""The user's own data: no code, no pin; every record that is not used is named by file and line."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.benchmark_cves import load_hashes
from stages.ingest.core import ingest_own
from stages.ingest.own import LINE_LIMIT, read_own
from stages.ingest.params import IngestParams
from stages.ingest.records import Records
from stages.licences import load_classes
from tests.ingest.anything import ANYTHING, YAML_BOMB
from tests.ingest.readers.test_sigma_rules import rule

TICKET = {
    "id": "Q-1",
    "title": "Queue fills up",
    "text": "The `queue` has no bound and <b>stops</b> the service.",
    "cwe": "CWE-770",
}
REPORT = b"---\ntechnique: [T1499, t1059.001]\npublished: 2031-02-03\nlicence: CC0-1.0\n---\n# A long night\n\nWe saw queues fill.\n\n## Log\n\n```\nGET / 200\n```\n"


def read(folder: Path, files: dict[str, Any], **own: Any) -> Records:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            [content]
            if isinstance(content, bytes)
            else [one if isinstance(one, bytes) else json.dumps(one).encode() for one in content]
        )
        path.write_bytes(b"\n".join(lines))
    found = read_own(msgspec.convert({"own": own}, IngestParams), folder)
    assert found is not None
    return found


def links(found: Records) -> list[tuple[str, str, str]]:
    return [(link.subject, link.relation, link.object) for link in found.links]


def test_a_folder_without_data_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Your own data")
    (tmp_path / ".gitignore").write_text("*")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "notes.md").write_text("# hidden")
    assert ingest_own(IngestParams(), tmp_path) == ingest_own(IngestParams(), tmp_path / "missing") == []


def test_the_folder_of_the_repository_is_empty_in_git_and_described() -> None:
    page = (Path(__file__).parents[2] / "data" / "own" / "README.md").read_text()
    assert all(
        f"`{key}`" in page for key in ("text", "id", "kind", "title", "cwe", "technique", "cve", "url", "licence", "published")
    )


def test_tickets_of_one_file(tmp_path: Path) -> None:
    other = {
        "text": "Two faults and how they were used.",
        "cwe": [79, "cwe-89"],
        "technique": "T1190, T1059",
        "cve": "CVE-2031-90001",
    }
    found = read(tmp_path, {"export/tickets.jsonl": [TICKET, b"", other | {"url": "https://example.org/2"}]})
    first, second = found.entities
    assert (first.id, first.type, first.name) == ("ticket:export/tickets/Q-1", "ticket", "Queue fills up")
    assert first.text == "The queue has no bound and <b>stops</b> the service."
    assert (first.source, first.licence, first.uri) == ("own", "LicenseRef-Own-Data", "data/own/export/tickets.jsonl")
    assert (second.id, second.uri) == ("ticket:export/tickets/3", "https://example.org/2")
    assert links(found) == [
        (first.id, "shows", "cwe:CWE-770"),
        (second.id, "shows", "cwe:CWE-79"),
        (second.id, "shows", "cwe:CWE-89"),
        (second.id, "describes", "attack:T1059"),
        (second.id, "describes", "attack:T1190"),
        (second.id, "reports", "cve:CVE-2031-90001"),
    ]
    assert [passage.entity_id for passage in found.passages] == [first.id, second.id]


def test_a_report_with_front_matter_is_kept_whole(tmp_path: Path) -> None:
    found = read(tmp_path, {"night.md": REPORT, "plain.md": b"A page of one line that has no title."})
    entity, plain = found.entities
    assert (entity.id, entity.type, entity.name) == ("report:night", "report", "A long night")
    assert "GET / 200" in entity.text and (entity.published, entity.licence) == ("2031-02-03", "CC0-1.0")
    assert [(link.relation, link.object, link.licence) for link in found.links] == [
        ("describes", "attack:T1059.001", "CC0-1.0"), ("describes", "attack:T1499", "CC0-1.0")
    ]  # fmt: skip
    assert (plain.id, plain.name, plain.text) == ("report:plain", "plain", "A page of one line that has no title.")


def test_sigma_rules_with_and_without_an_id(tmp_path: Path) -> None:
    found = read(tmp_path, {"a.yml": rule(), "b.yaml": rule(id=None, license="MIT"), "c.yml": rule(level="none")})
    assert [(entity.id, entity.type, entity.licence) for entity in found.entities] == [
        ("sigma:00000000-0000-4000-8000-000000000001", "sigma-rule", "LicenseRef-Own-Data"),
        ("sigma:own/b-1", "sigma-rule", "MIT"),
    ]
    assert (found.entities[1].id, "detects", "attack:T1059.001") in links(found)
    assert [(one.record.split()[0], one.reason) for one in found.rejects] == [("c.yml", "invalid-rule")]


def test_licence_version_and_names_of_keys_are_the_users(tmp_path: Path) -> None:
    keys = {"text": "description", "title": "summary", "cwe": "text"}
    record = {"description": "A fault in the queue.", "summary": "Fault", "text": "CWE-20", "title": "ignored"}
    found = read(
        tmp_path, {"a.jsonl": [record], "b.md": b"---\nsummary: S\n---\nSome words."}, keys=keys, licence="MIT", version="7"
    )
    entity = found.entities[0]
    assert (entity.name, entity.text, entity.licence, entity.version) == ("Fault", "A fault in the queue.", "MIT", "7")
    assert links(found) == [(entity.id, "shows", "cwe:CWE-20")]
    assert (found.entities[1].name, found.entities[1].text) == ("S", "Some words.")


def test_a_key_that_no_record_has_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="`keys` names body"):
        msgspec.convert({"own": {"keys": {"body": "text"}}}, IngestParams)
    with pytest.raises(msgspec.ValidationError, match=r"sources\.own"):
        msgspec.convert({"sources": {"own": {"reader": "nist", "version": "1", "licence": "MIT", "files": {}}}}, IngestParams)


def test_the_default_licence_has_a_class() -> None:
    assert load_classes()[IngestParams().own.licence.casefold()] == "terms"


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b'{"text": "cut', "broken-record", "JSON"),
        (b'{"title": "no text"}', "broken-record", "text"),
        (b'{"text": 5}', "broken-record", "$.text"),
        (b'{"text": "   "}', "empty-text", ""),
        (b'{"text": "words", "kind": "poem"}', "broken-record", "kind"),
        (b'{"text": "words", "cwe": {"id": 79}}', "broken-record", "cwe"),
        (b'{"text": "\xff\xfe"}', "not-utf8", ""),
        (b"[1, 2]", "broken-record", "list"),
        (b"[" * 100_000, "broken-record", ""),
        (json.dumps(TICKET).encode(), "duplicate-id", "Q-1"),
        (b'{"text": "' + b"a" * LINE_LIMIT + b'"}', "oversized", "at"),
    ],
)
def test_a_broken_line_is_named_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str, detail: str) -> None:
    found = read(tmp_path, {"t.jsonl": [TICKET, line, TICKET | {"id": "Q-3"}]})
    assert [entity.id for entity in found.entities] == ["ticket:t/Q-1", "ticket:t/Q-3"]
    assert [(one.record, one.reason) for one in found.rejects] == [("t.jsonl line 2", reason)]
    assert detail in found.rejects[0].detail or reason == "oversized"


def test_a_label_that_is_no_id_costs_the_link_and_not_the_record(tmp_path: Path) -> None:
    found = read(tmp_path, {"t.jsonl": [TICKET | {"cwe": ["CWE-770", "XSS"], "technique": "T99"}]})
    assert links(found) == [("ticket:t/Q-1", "shows", "cwe:CWE-770")]
    assert Counter((one.record, one.reason) for one in found.rejects) == {("t.jsonl line 1", "bad-id"): 2}
    assert "`XSS`" in found.rejects[0].detail


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("# Secret\n\nNot in the folder.")
    folder = tmp_path / "own"
    folder.mkdir()
    os.symlink(outside, folder / "link.md")
    os.symlink(tmp_path, folder / "up")
    files = {"a.docx": b"PK", "bomb.yml": YAML_BOMB.encode(), "front.md": b"---\n" + YAML_BOMB.encode() + b"---\nText.\n"}
    found = read(folder, files | {"list.md": b"---\n- 1\n---\nText.\n", "bytes.md": b"\xff", "t.jsonl": [TICKET]})
    assert {one.record: one.reason for one in found.rejects} == {
        "a.docx": "unknown-file-type",
        "bomb.yml": "broken-yaml",
        "bytes.md": "not-utf8",
        "front.md": "broken-yaml",
        "link.md": "not-a-file",
        "list.md": "broken-record",
        "up": "not-a-file",
    }


def test_a_folder_of_which_nothing_can_be_used_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t\.jsonl line 1: broken-record(?s:.*)empty the folder"):
        read(tmp_path, {"t.jsonl": [b"{"]})


def test_the_order_of_files_on_disk_does_not_matter(tmp_path: Path) -> None:
    files = {"b.jsonl": [TICKET], "a/z.md": REPORT, "a.yml": rule()}
    one, two = read(tmp_path / "one", files), read(tmp_path / "two", dict(reversed(files.items())))
    assert (one.entities, one.links, one.passages) == (two.entities, two.links, two.passages)


def test_benchmark_cves_leave_own_data_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.jsonl").write_text(json.dumps(TICKET | {"cve": "CVE-2031-90001"}))
    assert [link.relation for link in ingest_own(IngestParams(), tmp_path)[0].links] == ["shows", "reports"]
    monkeypatch.setattr("stages.ingest.core.load_hashes", lambda: load_hashes() | {_hash("CVE-2031-90001")})
    (rows,) = ingest_own(IngestParams(), tmp_path)
    assert not rows.entities and not rows.links and [reject.reason for reject in rows.rejects] == ["benchmark-cve"]


def _hash(cve: str) -> str:
    from stages.ingest.benchmark_cves import hash_of

    return hash_of(cve)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(ANYTHING, st.sampled_from(["text", "id", "title", "cwe", "technique", "url", "published", "kind"]), st.binary(max_size=80))
def test_whatever_lies_in_the_folder_the_rest_is_read(tmp_path: Path, value: Any, key: str, noise: bytes) -> None:
    hostile = TICKET | {"id": "x", key: value}
    front = b"---\n" + yaml.safe_dump({key: value}).encode() + b"---\n# T\n\nWords of a report.\n"
    files = {
        "a.jsonl": [value, hostile, noise.replace(b"\n", b"")],
        "b.md": noise,
        "c.yml": noise,
        "d.md": front,
        "z.jsonl": [TICKET],
    }
    assert "ticket:z/Q-1" in {entity.id for entity in read(tmp_path, files).entities}


def test_a_file_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jsonl"
    with open(path, "wb") as file:
        file.write(json.dumps(TICKET).encode() + b"\n{")
    found = read(tmp_path, {})
    assert [entity.id for entity in found.entities] == ["ticket:caf-/Q-1"]
    found.packed()
    assert [reject.record for reject in found.rejects] == ["caf\ufffd.jsonl line 2"]
