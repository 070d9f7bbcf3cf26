"""What names a CVE of a benchmark goes: entities, links, passages, sentences; the rest stays as it is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stages.ingest.benchmark_cves import hash_of
from stages.ingest.core import counts
from stages.ingest.hygiene import remove_benchmark_cves
from stages.ingest.params import Source
from stages.ingest.records import Records

ASKED, FREE = "CVE-2031-1000", "CVE-2031-10001"  # the second begins like the first
HASHES = frozenset({hash_of(ASKED)})


def records() -> Records:
    return Records("toy", Source(reader="toy", version="1", licence="CC0-1.0", files={}), passage_chars=1200)


def entity(rows: Records, id: str, text: str = "A text.", **more: Any) -> Any:
    return rows.entity(id, more.pop("type", "weakness"), more.pop("name", id), text, more.pop("uri", ""), more.pop("fields", {}))


def test_an_entity_about_one_goes_with_its_links_and_passages() -> None:
    rows = records()
    about = entity(rows, f"cve:{ASKED}", type="vulnerability")
    rule = entity(rows, "sigma:1", name=f"Exploitation of {ASKED.lower()}")
    page = entity(rows, "sigma:2", uri=f"https://toy.invalid/{ASKED}.yml")
    other = entity(rows, f"cve:{FREE}", type="vulnerability")
    for one in (about, rule, page, other):
        rows.passage(one, "text", "A passage of some length that names nothing at all.")
        rows.link(one.id, "instance-of", "cwe:CWE-1")
    rows.link("cwe:CWE-1", "shown-by", f"cve:{ASKED}")
    removed = remove_benchmark_cves(rows, HASHES)
    assert removed == {"entities": 3, "links": 4, "passages": 3, "sentences": 0}
    assert [one.id for one in rows.entities] == [other.id] == [one.entity_id for one in rows.passages]
    assert [(one.subject, one.object) for one in rows.links] == [(other.id, "cwe:CWE-1")]
    assert {(one.record, one.reason) for one in rows.rejects} == {(one.id, "benchmark-cve") for one in (about, rule, page)}


def test_an_advisory_is_about_every_cve_it_reports() -> None:
    rows = records()
    advisory = entity(rows, "csaf:1", type="advisory", fields={"cves": [FREE, ASKED], "vulnerabilities": [{"text": "Its text."}]})
    rule = entity(rows, "sigma:1", fields={"cves": [ASKED]})
    rows.link(advisory.id, "shows", "cwe:CWE-1")
    assert remove_benchmark_cves(rows, HASHES)["entities"] == 1
    assert [one.id for one in rows.entities] == [rule.id] and not rows.links


def test_only_the_sentences_that_name_one_go() -> None:
    rows = records()
    kept = entity(rows, "cwe:CWE-1", f'Input is copied. Some flaws, e.g. {ASKED}, show it. It is "old." {ASKED} too.\nA line.')
    rows.link("a", "uses", "b", f"It used {FREE}. It used {ASKED}!")
    rows.link("a", "uses", "c", f"It used {ASKED}.")
    rows.passage(kept, "text", f"The first sentence of a passage stays here. The one with {ASKED} goes.")
    rows.passage(kept, "short", f"See {ASKED} about the rest of it.")
    removed = remove_benchmark_cves(rows, HASHES)
    assert rows.entities[0].text == 'Input is copied. It is "old." A line.'
    assert ASKED not in rows.entities[0].text and "e.g." not in rows.entities[0].text and "A line." in rows.entities[0].text
    assert [one.text for one in rows.links] == [f"It used {FREE}.", ""]
    assert [one.text for one in rows.passages] == ["The first sentence of a passage stays here."]
    assert removed == {"entities": 0, "links": 0, "passages": 1, "sentences": 6}


def test_fields_at_any_depth() -> None:
    rows = records()
    fields = {
        "cves": [FREE, ASKED],
        "observed_examples": [f"{ASKED} shows it.", "A product shows it."],
        "examples": [{"text": f"Bad. {ASKED} is one.", "language": "C"}, {"text": f"{ASKED}."}],
        "detection": f"selection:\n  path: /{ASKED}\n  other: 1",
        "title": f"About {ASKED}",
        "by_id": {ASKED: "x", "y": [["z", ASKED]]},
        "score": 7.5,
        "flag": False,
    }
    entity(rows, "cwe:CWE-1", fields=fields)
    remove_benchmark_cves(rows, HASHES)
    assert rows.entities[0].fields == {
        "cves": [FREE],
        "observed_examples": ["A product shows it."],
        "examples": [{"text": "Bad.", "language": "C"}],
        "by_id": {"y": [["z"]]},
        "score": 7.5,
        "flag": False,
    }


def test_rows_that_name_none_are_the_same_objects() -> None:
    rows = records()
    one = entity(rows, "cwe:CWE-1", f"Names {FREE} only.", fields={"empty_later": {"a": ""}})
    rows.link("a", "uses", "b", f"{FREE}.")
    links = rows.links.copy()
    assert not any(remove_benchmark_cves(rows, HASHES).values())
    assert rows.entities[0] is one and rows.links[0] is links[0]


def test_the_figures_add_up_over_sources() -> None:
    parts = [records(), records()]
    for rows in parts:
        entity(rows, f"cve:{ASKED}")
        rows.benchmark_cves = remove_benchmark_cves(rows, HASHES)
    figures = counts(parts)
    assert figures["benchmark_cves"] == {"entities": 2, "links": 0, "passages": 0, "sentences": 0}
    assert figures["rejects"] == {"benchmark-cve": 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([ASKED, f"Text with {ASKED}. More.", FREE]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.just(ASKED), inner, max_size=4),
    max_leaves=12,
)


@given(fields=st.dictionaries(st.text(max_size=8), JSON, max_size=4), text=st.text())
def test_nothing_that_names_one_is_left_whatever_the_fields(fields: dict[str, Any], text: str) -> None:
    rows = records()
    entity(rows, "cwe:CWE-1", f"{text} {ASKED} {text}", fields=fields)
    remove_benchmark_cves(rows, HASHES)
    assert ASKED not in repr(rows.entities[0].text) and f"'{ASKED}" not in repr(rows.entities[0].fields).replace(FREE, "")


def test_a_ticket_is_about_the_cves_it_names_and_a_report_is_not() -> None:
    rows = records()
    for type in ("ticket", "report"):
        one = entity(rows, f"{type}:1", f"The queue fills. It is {ASKED}.", type=type, fields={"cve": [ASKED]})
        rows.link(one.id, "shows", "cwe:CWE-1")
    remove_benchmark_cves(rows, HASHES)
    assert [(one.id, one.text, one.fields) for one in rows.entities] == [("report:1", "The queue fills.", {})]
    assert [one.subject for one in rows.links] == ["report:1"]
