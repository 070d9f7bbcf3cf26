"""CVSS 3.1: one spelling, and scores against the examples of the specification."""

import pytest

from stages.ingest.cvss import cvss_fields

EXAMPLES = [  # https://www.first.org/cvss/v3.1/examples
    ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "MEDIUM"),
    ("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, "MEDIUM"),
    ("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, "LOW"),
    ("AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9, "CRITICAL"),
    ("AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8, "HIGH"),
    ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, "HIGH"),
    ("AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 4.6, "MEDIUM"),
    ("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, "NONE"),
    ("AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", 0.0, "NONE"),
    ("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, "CRITICAL"),
]


@pytest.mark.parametrize(("metrics", "score", "severity"), EXAMPLES)
def test_scores_of_the_specification(metrics: str, score: float, severity: str) -> None:
    vector = f"CVSS:3.1/{metrics}"
    assert cvss_fields(vector) == {"cvss_vector": vector, "cvss_score": score, "cvss_severity": severity}


def test_metrics_in_any_order_and_without_the_temporal_ones() -> None:
    found = cvss_fields("CVSS:3.1/E:P/AC:L/AV:N/A:H/C:H/I:H/PR:N/S:U/UI:N/RL:U/RC:C")
    assert found == cvss_fields("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H") and found["cvss_score"] == 9.8


@pytest.mark.parametrize(
    "vector",
    ["", "CVSS:3.1/", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
     "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.1/AV:N:N/AC"],
)  # fmt: skip
def test_what_is_no_whole_vector_of_version_31(vector: str) -> None:
    assert cvss_fields(vector) == {}
