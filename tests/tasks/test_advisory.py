"""Advisories and tickets: triage out of fields, weaknesses out of texts, nothing about held-out vulnerabilities."""

from stages.tasks.advisory import advisory_remediation, advisory_triage, advisory_weakness, ticket_weakness
from stages.tasks.assemble import build_rows
from stages.tasks.catalogue import load_catalogue
from stages.tasks.cve import cve_to_cwe
from stages.tasks.params import TasksParams
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

FLAW = "The web server of the controller takes the session number from the address and never checks who sends it"
FIELDS = {
    "title": "Acme Controller",
    "summary": "Successful exploitation could let a stranger stop the pump.",
    "vendor": "Acme",
    "products": ["Pump 1", "Pump 2", "Pump 3", "Pump 4", "Pump 5"],
    "sectors": ["Energy"],
    "remediations": ["Update to version 2.", "Update to version 2.", "Keep the controller off the internet"],
    "cvss": 9.1,
    "cves": ["CVE-2020-10000", "CVE-2020-10001"],
}


BOTH = ("cve:CVE-2020-10000", "cve:CVE-2020-10001")


def graph(heldout: tuple[str, ...] = (), reported: tuple[str, ...] = BOTH, **fields: object):
    entities = [
        entity("csaf:ICSA-1", "advisory", "ICSA-1", f"{FLAW}.", **{**FIELDS, **fields}),
        entity("cve:CVE-2020-10000", "vulnerability", "CVE-2020-10000", f"{FLAW}, see CWE-287."),
        entity("cwe:CWE-287", "weakness", "Improper Authentication"),
        entity("ticket:bugs.jsonl/1", "ticket", "Login page", f"{FLAW}, says the customer."),
        entity("ticket:bugs.jsonl/2", "ticket", "Nothing known", f"{FLAW}, too."),
    ]
    entities += [
        entity("cve:CVE-2020-10001", "vulnerability", "CVE-2020-10001", "A second pump can be stopped by a bare packet.")
    ]
    links = [link("csaf:ICSA-1", "reports", one) for one in reported] + [link("csaf:ICSA-1", "shows", "cwe:CWE-287")]
    links += [link("cve:CVE-2020-10000", "instance-of", "cwe:CWE-287"), link("ticket:bugs.jsonl/1", "shows", "cwe:CWE-287")]
    return known(entities, links, heldout)


def test_a_triage_note_says_scope_severity_cause_and_steps_once() -> None:
    (draft,) = drafts(advisory_triage, graph())
    assert draft.answer.splitlines() == [
        "Affected: Pump 1, Pump 2, Pump 3, Pump 4 and 1 more; made by Acme.",
        "Sectors: Energy.",
        "Severity: critical (CVSS 9.1, the worst of 2 vulnerabilities).",
        "Root cause: Improper Authentication (CWE-287).",
        "First steps:",
        "- Update to version 2.",
        "- Keep the controller off the internet.",
    ]


def test_the_cause_of_a_heldout_vulnerability_is_not_told() -> None:
    tasks = [task for task in load_catalogue() if task.name in ("advisory-triage", "advisory-weakness")]
    rows, rejects, _ = build_rows(graph(("cve:CVE-2020-10000",)), tasks, TasksParams())
    assert rows == [] and {reject.reason for reject in rejects} == {"heldout-text"}


def test_an_advisory_without_steps_makes_no_question() -> None:
    assert skips(advisory_remediation, graph(remediations=[])) == {"csaf:ICSA-1": "no-field"}
    assert skips(advisory_triage, graph(summary="")) == {"csaf:ICSA-1": "no-text"}


def test_steps_that_a_heldout_vulnerability_states_itself_are_not_told() -> None:
    task = [task for task in load_catalogue() if task.name == "advisory-remediation"]
    own, foreign = f"{FLAW}.", "Ask the vendor for the patch, then install it in the next window for works."
    rows, rejects, _ = build_rows(graph(("cve:CVE-2020-10000",), remediations=[own]), task, TasksParams())
    assert rows == [] and [reject.reason for reject in rejects] == ["heldout-text"]
    knowledge = graph(("cve:CVE-2020-10000",), remediations=[foreign])
    knowledge.entities["cve:CVE-2020-10000"].fields["solutions"] = [foreign]
    assert build_rows(knowledge, task, TasksParams())[0] == []
    rows, _, _ = build_rows(graph(("cve:CVE-2020-10000",), remediations=[foreign]), task, TasksParams())
    assert len(rows) == 1


def test_ids_are_hidden_in_the_texts_to_classify() -> None:
    (draft,) = drafts(advisory_weakness, graph())
    assert draft.key == ["CWE-287"] and "CWE-287" not in draft.slots["text"]


def test_a_ticket_and_a_vendor_report_are_asked_alike() -> None:
    made = {draft.subject: draft for draft in drafts(ticket_weakness, graph())}
    assert set(made) == {"ticket:bugs.jsonl/1", "cve:CVE-2020-10000"}
    assert made["cve:CVE-2020-10000"].slots["title"] == "Pump 1"
    assert {tuple(draft.key) for draft in made.values()} == {("CWE-287",)}


def test_an_advisory_on_one_vulnerability_is_left_to_the_ticket_and_the_ticket_to_nobody_else() -> None:
    assert skips(advisory_weakness, graph(reported=BOTH[:1])) == {"csaf:ICSA-1": "one-vulnerability"}
    asked = [draft.subject for draft in drafts(ticket_weakness, graph())]
    assert "cve:CVE-2020-10000" in asked and drafts(cve_to_cwe, graph()) == []
    assert [draft.subject for draft in drafts(cve_to_cwe, graph(reported=()))] == ["cve:CVE-2020-10000"]
