"""The XML catalogue: categories and views, and that no entity of a document type is ever read."""

import time
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.reading import read_with

HEAD = '<Weakness_Catalog xmlns="http://cwe.mitre.org/cwe-7" Version="4.99">'
WEAKNESS = """<Weakness ID="901" Name="Loose Queue" Abstraction="Base" Status="Draft"><Description>{text}</Description>
<Related_Weaknesses><Related_Weakness Nature="ChildOf" CWE_ID="900" View_ID="1000"/>
<Related_Weakness Nature="ChildOf" CWE_ID="902" View_ID="1003"/></Related_Weaknesses>
<Mapping_Notes><Usage>Discouraged</Usage><Rationale>Vague.</Rationale><Comments>Look below.</Comments>
<Reasons><Reason Type="Abstraction"/></Reasons><Suggestions><Suggestion CWE_ID="903" Comment="A tighter one"/></Suggestions>
</Mapping_Notes></Weakness>"""
GROUPS = """<Categories><Category ID="910" Name="Queues" Status="Draft"><Summary>About queues.</Summary><Relationships>
<Has_Member CWE_ID="901" View_ID="1000"/><Has_Member CWE_ID="999" View_ID="1000"/></Relationships></Category></Categories>
<Views><View ID="1003" Name="Simplified" Type="Graph" Status="Draft"><Objective>For mapping.</Objective>
<Members><Has_Member CWE_ID="910" View_ID="1003"/></Members></View></Views>"""


def catalogue(text: str = "A queue has no bound.", head: str = HEAD, before: str = "") -> str:
    return f"{before}{head}<Weaknesses>{WEAKNESS.format(text=text)}</Weaknesses>{GROUPS}</Weakness_Catalog>"


def read_xml(folder: Path, content: str) -> Records:
    (folder / "cwe.xml").write_text(content)
    return read_with("cwe", {"catalogue": folder / "cwe.xml"}, version="4.99")


def test_categories_views_and_their_members(tmp_path: Path) -> None:
    records = read_xml(tmp_path, catalogue())
    assert {(one.id, one.type, one.text) for one in records.entities} == {
        ("cwe:CWE-901", "weakness", "A queue has no bound."),
        ("cwe:CWE-910", "weakness-category", "About queues."),
        ("cwe:CWE-1003", "weakness-view", "For mapping."),
    }
    members = {(link.subject, link.object) for link in records.links if link.relation == "member-of"}
    assert members == {("cwe:CWE-901", "cwe:CWE-910"), ("cwe:CWE-910", "cwe:CWE-1003")}
    assert [(reject.record, reject.reason) for reject in records.rejects] == [("cwe:CWE-910 CWE-999", "unresolved-id")]


def test_mapping_notes_and_parents_of_other_views(tmp_path: Path) -> None:
    fields = read_xml(tmp_path, catalogue()).entities[0].fields
    assert fields["parents_in_views"] == {"1003": ["CWE-902"]} and fields["in_view_1003"]
    assert fields["mapping"] == {
        "usage": "Discouraged",
        "rationale": "Vague.",
        "comments": "Look below.",
        "reasons": ["Abstraction"],
        "suggestions": [{"cwe": "CWE-903", "comment": "A tighter one"}],
    }


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>',
        '<!DOCTYPE x [<!ENTITY % e SYSTEM "file://{secret}"> %e;]>',
        '<!DOCTYPE x SYSTEM "file://{secret}">',
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY e "&b;&b;">]>',
    ],
)
def test_a_document_type_is_refused_and_nothing_of_it_read(tmp_path: Path, doctype: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    with pytest.raises(InputError, match="document type") as caught:
        read_xml(tmp_path, catalogue("&e;" if "ENTITY e" in doctype else "x", before=doctype.replace("{secret}", str(secret))))
    assert "the secret" not in str(caught.value)


def test_a_billion_laughs_end_at_once(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    start = time.monotonic()
    with pytest.raises(InputError):
        read_xml(tmp_path, catalogue("&a11;", before=f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>'))
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("content", ["", "<", catalogue()[:300], catalogue("\x01"), catalogue("<p>" * 3000)])
def test_what_is_not_well_formed_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"cwe\.xml"):
        read_xml(tmp_path, content)
