"""OSCAL catalogues: organisation-defined values read as prose, baselines, the former revision, JSON and YAML."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.readers.nist.layout import Parameter
from stages.ingest.readers.nist.prose import filled
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, NO_DOCUMENTS, YAML_BOMB
from tests.ingest.reading import read_with

PARAMETERS = {
    one["id"]: msgspec.convert(one, Parameter)
    for one in (
        {"id": "f", "label": "frequency"},
        {"id": "r", "label": "organization-defined personnel or roles"},
        {"id": "n", "label": "number"},
        {"id": "s", "select": {"how-many": "one-or-more", "choice": ["by {{ insert: param, r }}", "at once", "never"]}},
        {"id": "loop", "select": {"choice": ["{{ insert: param, loop }}"]}},
        {"id": "bomb", "select": {"choice": ["{{ insert: param, bomb }}"] * 70}},
    )
}
STATEMENT = {
    "name": "statement",
    "prose": "Bound queues {{ insert: param, zz-1_prm_1 }}:",
    "parts": [{"name": "item", "prose": "of mail;", "props": [{"name": "label", "value": "a."}]}],
}
ASSESSED = [
    {
        "name": "assessment-objective",
        "props": [{"name": "label", "value": "ZZ-01a.[01]"}],
        "prose": "queues are bounded {{ insert: param, zz-1_prm_1 }};",
    },
    {
        "name": "assessment-method",
        "props": [{"name": "method", "value": "EXAMINE"}],
        "parts": [{"name": "assessment-objects", "prose": "Queue policy\n\nqueue\nrecords"}],
    },
]


def control(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "title": f"Title of {id}", "props": [{"name": "label", "value": id.upper()}], "parts": [STATEMENT]} | more


PARAMS = [{"id": "zz-1_prm_1", "label": "organization-defined frequency"}, {"id": "zz-1_prm_2", "select": {"choice": ["a", "b"]}}]
WITHDRAWN = {"props": [{"name": "status", "value": "Withdrawn"}], "parts": []}
CONTROLS = [
    control("zz-1", params=PARAMS, links=[{"href": "#zz-2", "rel": "related"}], controls=[control("zz-1.1")]),
    control("zz-2"),
    control("zz-3", **WITHDRAWN, links=[{"href": "#zz-1_smt.a", "rel": "incorporated-into"}]),
]


def document(controls: list[Any], version: str = "5.9", title: str = "Toy") -> dict[str, Any]:
    groups = [{"id": "zz", "title": "Queues", "controls": controls}]
    return {"catalog": {"metadata": {"version": version, "title": title}, "groups": groups}}


def read_oscal(folder: Path, controls: list[Any], **more: Any) -> Records:
    files: dict[str, Path | tuple[Path, str]] = {}
    for role, content in {"catalogue": document(controls), **more}.items():
        files[role] = folder / role
        (folder / role).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_with("nist", files, version="5.9")


@pytest.mark.parametrize(
    ("prose", "text"),
    [
        ("Review plans {{ insert: param, f }}.", "Review plans at an organization-defined frequency."),
        ("Review at {{ insert: param, f }}.", "Review at an organization-defined frequency."),
        ("Tell {{ insert: param, r }}.", "Tell organization-defined personnel or roles."),
        ("Allow {{ insert: param, n }} attempts in the {{ insert: param, f }}.", "Allow an organization-defined number of attempts in the organization-defined frequency."),
        ("Wait a {{ insert: param, n }} or take other {{ insert: param, n }}.", "Wait an organization-defined number or take other organization-defined number."),
        ("Act {{ insert: param, s }}.", "Act by organization-defined personnel or roles, at once and/or never."),
        ("Use {{ insert: param, gone }}.", "Use an organization-defined value."),
    ],
)  # fmt: skip
def test_values_are_prose(prose: str, text: str) -> None:
    assert filled(prose, PARAMETERS) == text


def test_a_parameter_that_names_itself_ends() -> None:
    assert "{{" in filled("{{ insert: param, loop }}", PARAMETERS)
    assert len(filled("{{ insert: param, bomb }}", PARAMETERS)) < 10_000_000


def test_controls_baselines_and_assessment(tmp_path: Path) -> None:
    high = document([control("zz-1", params=PARAMS, parts=ASSESSED), control("zz-1.1"), control("zz-9")])
    records = read_oscal(tmp_path, CONTROLS, high=high, moderate=document([control("zz-1")]))
    fields = {one.id: one.fields for one in records.entities}
    assert fields["nist:ZZ-1"]["baselines"] == ["MODERATE", "HIGH"] and fields["nist:ZZ-1.1"]["baselines"] == ["HIGH"]
    assert fields["nist:ZZ-1"]["parameters"] == [{"label": "frequency"}, {"choices": ["a", "b"]}]
    assert fields["nist:ZZ-1"]["assessment"] == {
        "objectives": ["queues are bounded at an organization-defined frequency;"],
        "examine": ["Queue policy", "queue records"],
    }
    assert "baselines" not in fields["nist:ZZ-2"] and fields["nist:ZZ-1.1"]["enhances"] == "nist:ZZ-1"
    assert [(reject.reason, reject.record) for reject in records.rejects] == [("unresolved-id", "high nist:ZZ-9")]


def test_a_withdrawn_control_leads_to_where_it_went(tmp_path: Path) -> None:
    entity = next(one for one in read_oscal(tmp_path, CONTROLS).entities if one.id == "nist:ZZ-3")
    assert entity.deprecated and entity.revoked_by == "nist:ZZ-1" and entity.fields["moved_to"] == ["nist:ZZ-1"]


def test_the_former_revision_is_a_type_of_its_own(tmp_path: Path) -> None:
    related = [{"name": "guidance", "prose": "Mind it.", "links": [{"href": "#zz-3", "rel": "related"}]}]
    former = document([control("zz-1", parts=related), control("zz-3"), control("zz-8")], version="2015-01-22")
    records = read_oscal(tmp_path, CONTROLS, revision_4=former)
    old = [one for one in records.entities if one.type == "control-r4"]
    assert [(one.id, one.version) for one in old] == [(f"nist-r4:ZZ-{n}", "2015-01-22") for n in (1, 3, 8)]
    links = {(link.subject, link.relation, link.object) for link in records.links if link.subject.startswith("nist-r4")}
    assert links == {
        ("nist-r4:ZZ-1", "related-to", "nist-r4:ZZ-3"),
        ("nist-r4:ZZ-1", "succeeded-by", "nist:ZZ-1"),
        ("nist-r4:ZZ-3", "succeeded-by", "nist:ZZ-1"),
    }


@pytest.mark.parametrize("packed", [False, True])
def test_yaml_reads_as_json_does(tmp_path: Path, packed: bool) -> None:
    content = yaml.safe_dump(document(CONTROLS), sort_keys=False).encode()
    files: dict[str, Path | tuple[Path, str]] = {"catalogue": tmp_path / "c.yaml"}
    (tmp_path / "c.yaml").write_bytes(gzip.compress(content) if packed else content)
    read, json_read = read_with("nist", files, version="5.9"), read_oscal(tmp_path, CONTROLS)
    assert (read.entities, read.links, read.passages) == (json_read.entities, json_read.links, json_read.passages)


@pytest.mark.parametrize(
    "content",
    [
        *NO_DOCUMENTS,
        YAML_BOMB.encode(),
        b"catalog: !!python/object/apply:os.system [id]",
        b"&a [*a]",
        b"? {a: b}\n: c",
        b"catalog: \xff",
        b"- " * 3000,
        json.dumps(document([])).encode(),
        json.dumps(document(CONTROLS, version="6.0")).encode(),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"c\.yaml"):
        read_with("nist", {"catalogue": tmp_path / "c.yaml"}, version="5.9")


def test_a_broken_control_is_one_reject(tmp_path: Path) -> None:
    records = read_oscal(tmp_path, [*CONTROLS, {"id": "zz-4"}, 7, control("zz-5", params=[{"id": "x", "select": {"choice": 5}}])])
    assert Counter(reject.reason for reject in records.rejects) == {"broken-record": 3}
    assert len(records.entities) == 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["id", "title", "params", "props", "links", "parts", "controls"]), value=ANYTHING, whole=st.booleans())
def test_any_json_in_a_controls_place_leaves_the_others(tmp_path: Path, key: str, value: Any, whole: bool) -> None:
    changed = value if whole else control("zz-7") | {key: value}
    records = read_oscal(tmp_path, [*CONTROLS, changed])
    assert {"nist:ZZ-1", "nist:ZZ-1.1"} <= {one.id for one in records.entities}


@pytest.mark.mirror
def test_counts_of_both_revisions_and_the_baselines(mirror: Path) -> None:
    names = {
        "catalogue": "rev5_catalog-min.json",
        "high": "rev5_HIGH-baseline-resolved-profile_catalog.yaml.gz",
        "moderate": "rev5_MODERATE-baseline-resolved-profile_catalog.json.gz",
        "revision_4": "rev4_catalog-min.json.gz",
    }
    folder = mirror / "sources/nist-800-53"
    records = read_with("nist", {role: folder / f"NIST_SP-800-53_{name}" for role, name in names.items()}, version="5.0.1")
    assert Counter(one.type for one in records.entities) == {"control": 1189, "control-r4": 922} and not records.rejects
    baselines = Counter(level for one in records.entities for level in one.fields.get("baselines", []))
    assert baselines == {"HIGH": 370, "MODERATE": 287}
    assert sum("assessment" in one.fields for one in records.entities if one.type == "control") == 370
    assert Counter(link.relation for link in records.links)["succeeded-by"] == 828
