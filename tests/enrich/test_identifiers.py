"""Ids of every vocabulary are read in every writing, ordinary names with digits are none, and no template answer fails its own check."""

import time

import pytest

from stages.enrich.audit import loose_ids
from stages.enrich.checks import Known, run_checks
from stages.enrich.identifiers import ids_in, named_ids
from stages.enrich.params import Length
from tests.toy_rows import make_format, make_row


def test_ids_of_every_vocabulary_are_seen_and_lookalikes_are_not() -> None:
    text = (
        "cve-2020-0001 CWE-79, CAPEC-66; T1059.001, TA0001 M1017 G0007 S0002 DS0009 DET0001 AN0001 A0001 (D3-PSA) AML.T0043 AC-2(1) "
        "CAR-2013-01-002, WSTG-INPV-05 ICSA-17-012-01A ICSMA-19-190-01 VA-24-059-01 "
        "but not UTF-8, XT1059, T105, AES-256, IA-32, SA-12-345, 3DA1000, AN12345, XICSA-17-012-01, ICSA-17-12-1, CAR-2013, WSTG-INPV, VA-24-059"
    )
    assert ids_in(text) == {
        "cve:CVE-2020-0001", "cwe:CWE-79", "capec:CAPEC-66", "attack:T1059.001", "attack:TA0001", "attack:M1017", "attack:G0007",
        "attack:S0002", "attack:DS0009", "attack:DET0001", "attack:AN0001", "attack:A0001", "d3fend:D3-PSA", "atlas:AML.T0043",
        "nist:AC-2(1)", "car:CAR-2013-01-002", "wstg:WSTG-INPV-05", "csaf:ICSA-17-012-01A", "csaf:ICSMA-19-190-01",
        "csaf:VA-24-059-01",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("CWE-9999-type flaw", "cwe:CWE-9999"), ("T9999-based", "attack:T9999"), ("T1059.999-like", "attack:T1059.999"),
        ("CVE-2099-99999-style", "cve:CVE-2099-99999"), ("CVE-2021-44228-like", "cve:CVE-2021-44228"), ("CWE‑5", "cwe:CWE-5"),
        ("CVE–2099–12345", "cve:CVE-2099-12345"), ("ＣＷＥ－79", "cwe:CWE-79"), ("CW\u200bE-79", "cwe:CWE-79"), ("_T9999_", "attack:T9999"),
        ("CWE-0079", "cwe:CWE-79"), ("AML.T0043", "atlas:AML.T0043"), ("aml.t0048.003", "atlas:AML.T0048.003"),
        ("AML.TA0012-like", "atlas:AML.TA0012"), ("AML.CS0001", "atlas:AML.CS0001"), ("AML.M0003", "atlas:AML.M0003"),
        ("AN1234", "attack:AN1234"), ("A0001-type", "attack:A0001"), ("AC-2 (1)", "nist:AC-2(1)"), ("AC-02", "nist:AC-2"),
        ("si‑4(12)", "nist:SI-4(12)"), ("car 2013-01-002", "car:CAR-2013-01-002"), ("CAR‑2013‑01‑002", "car:CAR-2013-01-002"),
        ("CAR–2013–01–002", "car:CAR-2013-01-002"), ("ICSA‑17‑012‑01", "csaf:ICSA-17-012-01"), ("WSTG–INPV–05", "wstg:WSTG-INPV-05"),
        ("icsa-17-012-01", "csaf:ICSA-17-012-01"), ("wstg-inpv-05", "wstg:WSTG-INPV-05"),
    ],
)  # fmt: skip
def test_the_checks_and_the_audit_read_one_id_in_any_writing(written: str, name: str) -> None:
    text = f"A flaw like {written} was seen."
    assert ids_in(text) == loose_ids(text) == {name}


ANSWERS = {  # as the template of each vocabulary states its answer
    "technique": "AML.T0043", "tactic": "TA0001", "sub-technique": "T1059.001", "control": "AC-2(1)", "analytic": "AN0001",
    "asset": "A0001", "cwe": "CWE-79", "case": "AML.CS0001", "cve": "CVE-2021-44228", "pattern": "CAPEC-66", "d3fend": "D3-PSA",
    "car": "CAR-2013-01-002", "advisory": "ICSA-17-012-01", "test": "WSTG-INPV-05",
}  # fmt: skip


@pytest.mark.parametrize("key", ANSWERS.values())
def test_the_template_answer_itself_passes_the_check_of_ids(key: str) -> None:
    row = make_row("Which one is it?", f"It is the one that fits ({key}).\nFinal answer: {key}", answer_key=[key])
    here = ids_in(row.answer)
    assert len(here) == 1, "the id is read once, by one vocabulary"
    found = {check.name: check.words for check in run_checks(row, make_format(), row.answer, Known(here, here), Length())}
    assert found["unknown-id"] == found["unsupported-id"] == []


@pytest.mark.parametrize(
    "hostile", ["CVE-" * 20_000, "AML." * 20_000, "AC-1(" * 20_000, "9" * 60_000, "CWE " * 20_000, "－" * 60_000]
)
def test_hostile_text_takes_no_time(hostile: str) -> None:
    started = time.perf_counter()
    named_ids(hostile)
    loose_ids(hostile)
    assert time.perf_counter() - started < 2
