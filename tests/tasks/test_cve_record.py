"""Records of vulnerabilities: vectors argued metric by metric, ratings hidden from those who have to find them."""

from stages.answers import answered_keys
from stages.tasks import cve_record
from stages.tasks.assemble import build_rows
from stages.tasks.catalogue import load_catalogue
from stages.tasks.params import TasksParams
from tests.tasks.pieces import drafts, graph, skips
from tests.tasks.small_graph import entity, link

VECTOR = "CVSS:3.1/AV:L/AC:H/PR:N/UI:R/S:C/C:H/I:L/A:N"
TEXT = "The till of the museum shop opens for whoever presses both of its keys at once for a while."


def record(place: int = 1, text: str = TEXT, **fields: object):
    return entity(f"cve:CVE-2020-000{place}", "vulnerability", f"CVE-2020-000{place}", text, **fields)


def test_every_metric_is_argued_and_the_vector_is_the_key() -> None:
    (draft,) = drafts(cve_record.cvss_vector, graph([record(cvss_vector=f"{VECTOR}/E:P")]))
    lines = draft.answer.splitlines()
    assert draft.key == [VECTOR] and len(lines) == 8
    assert lines[0].startswith("- Attack vector: ") and lines[0].endswith("(AV:L)")
    assert lines[7].endswith("(A:N)")


def test_another_version_or_a_broken_vector_is_no_key() -> None:
    bad = [record(1, cvss_vector="AV:N/AC:L/Au:N/C:P/I:P/A:P"), record(2, cvss_vector="CVSS:3.1/AV:X"), record(3)]
    assert set(skips(cve_record.cvss_vector, graph(bad)).values()) == {"no-field"}


def test_sentences_that_tell_the_rating_are_hidden() -> None:
    told = f"{TEXT} CVSS 3.0 Base Score 5.3. CVSS Vector: ({VECTOR}). The flaw was classified as critical. (Chromium security severity: High)"
    known = {"cvss_vector": VECTOR, "cvss_severity": "MEDIUM", "cvss_score": 5.3, "product": "till"}
    knowledge = graph([record(text=told, **known)])
    for generator in (cve_record.cvss_vector, cve_record.cve_severity):
        assert [one.slots["text"] for one in drafts(generator, knowledge)] == [TEXT]
    assert drafts(cve_record.vulnerability_description, knowledge)[0].answer == f"{TEXT}\nSeverity: Medium."


def test_a_rating_follows_from_its_metrics() -> None:
    knowledge = graph([record(cvss_vector=VECTOR, cvss_severity="MEDIUM", cvss_score=5.3), record(2, cvss_severity="HIGH")])
    (draft,) = drafts(cve_record.cve_severity, knowledge)
    assert draft.letter == "B" and draft.options[1] == "Medium."
    assert draft.answer.endswith(
        "High impact on confidentiality and low impact on integrity. Hence the severity is medium, with a base score of 5.3."
    )
    assert skips(cve_record.cve_severity, knowledge) == {"cve:CVE-2020-0002": "no-field"}


def test_a_title_that_begins_the_text_is_not_shown() -> None:
    known = {"vendor": "Museum", "product": "Museum", "title": TEXT[:50]}
    entities = [record(1, **known), record(2), entity("cwe:CWE-7", "weakness", "Open Till", "It opens.")]
    (draft,) = drafts(
        cve_record.vulnerability_description, graph(entities, [link("cve:CVE-2020-0001", "instance-of", "cwe:CWE-7")])
    )
    assert draft.slots == {"id": "CVE-2020-0001", "about": "Museum"}
    assert draft.answer.endswith("Root cause: Open Till (CWE-7).")


def test_the_row_ends_with_the_vector_that_an_extractor_reads() -> None:
    task = next(one for one in load_catalogue() if one.name == "cvss-vector")
    (row,), _, _ = build_rows(graph([record(cvss_vector=VECTOR)]), [task], TasksParams())
    assert row.answer.endswith(f"\nFinal answer: {VECTOR}") and answered_keys(row.key_kind, row.answer) == row.answer_key
