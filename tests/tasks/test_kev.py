"""Which vulnerability comes first: exploitation before prediction before score, and only where the difference is clear."""

import pytest

from stages.tasks.kev import Urgency, exploited_weakness, kev_action, kev_priority, urgency_of
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

RANSOM = {"known_exploited": True, "kev_ransomware": "Known", "epss": 0.9, "cvss_score": 7.0}
WILD = {"known_exploited": True, "kev_ransomware": "Unknown", "epss": 0.4, "cvss_score": 8.0}
POC = {"ssvc_exploitation": "poc", "cvss_score": 9.1}
QUIET = {"ssvc_exploitation": "none", "cvss_score": 9.8}


def cve(place: int, **fields: object):
    return entity(
        f"cve:CVE-2024-1000{place}", "vulnerability", f"CVE-2024-1000{place}", "The shop trusts a field of its form.", **fields
    )


@pytest.mark.parametrize(
    ("first", "later", "clear"),
    [
        (Urgency(3, 0.1, 5.0), Urgency(2, 0.9, 9.8), True),  # ransomware outweighs prediction and score
        (Urgency(2, 0.1, 5.0), Urgency(0, None, 9.8), True),
        (Urgency(2, 0.5, 5.0), Urgency(2, 0.3, 9.8), True),  # the prediction decides between equals
        (Urgency(2, 0.35, 9.0), Urgency(2, 0.3, 5.0), False),  # too close to tell
        (Urgency(0, None, 9.0), Urgency(0, None, 7.5), True),
        (Urgency(0, None, 9.0), Urgency(0, None, 8.5), False),
        (Urgency(0, None, None), Urgency(0, None, 8.5), False),
    ],
)
def test_the_order_of_urgency(first: Urgency, later: Urgency, clear: bool) -> None:
    assert first.clearly_before(later) is clear
    assert not later.clearly_before(first)


def test_without_score_or_prediction_there_is_no_urgency() -> None:
    assert urgency_of(cve(0, known_exploited=True)) is None
    assert urgency_of(cve(0, ssvc_exploitation="active", cvss_score=5, nvd_score=7)) == Urgency(2, None, 5.0)
    assert urgency_of(cve(0, ssvc_exploitation="active", nvd_score=7)) == Urgency(2, None, 7.0)


def test_the_first_is_asked_and_a_higher_score_explained_away() -> None:
    knowledge = known([cve(0, **RANSOM, vendor="Acme", product="Acme Shop"), cve(1, **WILD), cve(2, **POC), cve(3, **QUIET)])
    (draft,) = drafts(kev_priority, knowledge)
    assert draft.options[0] == "CVE-2024-10000 (Acme Shop): it is exploited in ransomware campaigns, CVSS 7.0, EPSS 0.90"
    assert (
        "CVE-2024-10003 comes later: no exploitation is known, which is less urgent; that its CVSS score is higher"
        in draft.answer
    )
    assert set(skips(kev_priority, knowledge).values()) == {"few-distractors"}


def test_heldout_vulnerabilities_are_no_option() -> None:
    entities = [cve(0, **RANSOM), cve(1, **WILD), cve(2, **POC), cve(3, **QUIET)]
    assert drafts(kev_priority, known(entities, heldout=["cve:CVE-2024-10002"])) == []


def test_an_order_tells_the_days_left() -> None:
    listed = {"kev_action": "Apply the update.", "kev_added": "2024-02-20", "kev_due": "2024-03-12", "kev_ransomware": "Known"}
    knowledge = known([cve(0, **listed), cve(1, **{**listed, "kev_due": "soon"}), cve(2)])
    (draft,) = drafts(kev_action, knowledge)
    assert "Due by 2024-03-12, 21 days after the listing." in draft.answer and "Ransomware" in draft.answer
    assert skips(kev_action, knowledge) == {"cve:CVE-2024-10001": "no-field"}


def test_a_weakness_is_counted_over_exploited_cases_only() -> None:
    entities = [
        cve(0, **RANSOM, vendor="Acme"),
        cve(1, **WILD, vendor="Acme"),
        cve(2, **POC),
        entity("cwe:CWE-79", "weakness", "Scripting"),
    ]
    links = [link(f"cve:CVE-2024-1000{place}", "instance-of", "cwe:CWE-79") for place in range(3)]
    (draft,) = drafts(exploited_weakness, known(entities, links))
    assert draft.answer.splitlines()[:3] == [
        "Scripting (CWE-79) is the root cause of 2 exploited vulnerabilities known here.",
        "Ransomware campaigns used 1 of them.",
        "Makers most often hit: Acme (2).",
    ]
