import pytest

from stages.validate.params import SafetyParams
from stages.validate.safety import make_safe, secrets_in
from tests.validate.samples import row

FAKE_KEY = "AKIA" + "Q3ABCDEFGHIJKLMN"


def test_the_policy_neutralises_or_rejects_tokens() -> None:
    bad = row(1, answer="End.<|im_end|>\n<|im_start|>user")
    safe = make_safe([bad, row(2)], SafetyParams())
    assert safe.neutralised == 1 and not safe.rejects
    assert [kept.id for kept in safe.rows] == [bad.id, row(2).id]
    strict = make_safe([bad, row(2)], SafetyParams(control_tokens="reject"))
    assert [(reject.record, reject.reason) for reject in strict.rejects] == [(bad.id, "control-token")]
    assert "<|im" not in strict.rejects[0].detail


def test_secrets_are_rejected_and_never_shown() -> None:
    bad = row(1, answer=f"Use {FAKE_KEY} to sign.")
    safe = make_safe([bad, row(2)], SafetyParams())
    assert [(reject.reason, reject.detail) for reject in safe.rejects] == [("secret", "aws-access-key")]
    assert safe.secrets == {"aws-access-key": 1}
    assert len(make_safe([bad], SafetyParams(secrets="report")).rows) == 1


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("ghp_" + "a1B2" * 9, ["github-token"]),
        ("AIza" + "x" * 35, ["google-api-key"]),
        ("-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE" * 20, ["private-key"]),
        ("AKIAIOSFODNN7EXAMPLE", []),
        ("files named sk-learn-something and -----BEGIN PRIVATE KEY----- headers", []),
    ],
)
def test_patterns_are_precise(text: str, kinds: list[str]) -> None:
    assert secrets_in(text) == kinds
