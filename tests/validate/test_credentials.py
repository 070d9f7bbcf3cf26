"""Made-up credentials of each issuer's form; they are put together here, so that no scanner takes this file for a leak."""

import socket
import sys

import pytest

from stages.validate.credentials import REMOVED, find_credentials, fingerprint, without_credentials

FAKE = {
    "aws-access-key": "AKIA" + "Q3ABCDEFGHIJKLMN",
    "github-token": "ghp_" + "a1B2" * 9,
    "gitlab-token": "glpat-" + "x7Kd9Qm2Lp4Zr8Tv1Wy3",
    "google-api-key": "AIza" + "Sy4" * 11 + "zz",
    "openai-token": "sk-proj-" + "a1B2c3D4" * 6,
    "slack-token": "xoxb-" + "123456789012-" + "abcdEFGH1234",
    "stripe-access-key": "sk_live_" + "a1B2" * 6,
    "sendgrid-api-key": "SG." + "a1B2c3D4e5F6g7H8i9J0kL" + "." + "a1B2c3D4e5F6g7H8i9J0kLa1B2c3D4e5F6g7H8i9J0k",
    "npm-tokens": "//registry.npmjs.org/:_authToken=npm_" + "a1B2c3" * 6,
    "telegram-bot-token": "110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
    "basic-auth-credentials": "https://deploy:" + "Xk29fQz7" + "@git.corp.net/x",
    "npm-token": "npm_" + "a1B2c3" * 6,
    "hugging-face-token": "hf_" + "AbCdEfGhIj" * 3 + "AbCd",
    "vault-token": "hvs." + "CAESIJkLmNoPqRsTuVwXyZ01234",
    "digitalocean-token": "dop_v1_" + "a1b2c3d4" * 8,
    "shopify-token": "shpat_" + "a1b2c3d4" * 4,
    "private-key": "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE" * 20 + "\n-----END RSA PRIVATE KEY-----",
    "json-web-token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    + ".eyJzdWIiOiI0MiJ9."
    + "x7Kd9Qm2Lp4Zr8Tv1Wy3x7Kd9Qm2Lp4Zr8Tv1Wy3abc",
}


@pytest.mark.parametrize("rule", FAKE)
def test_a_credential_is_found_and_nothing_of_it_is_left(rule: str) -> None:
    alone = rule == "telegram-bot-token"
    text = FAKE[rule] if alone else f"The log shows {FAKE[rule]} in clear.\nSecond line."
    assert rule in [span.rule for span in find_credentials(text)]
    left = without_credentials(text)
    assert REMOVED in left and (alone or left.endswith("Second line."))
    secret = (
        FAKE[rule].rpartition(":")[2].partition("@")[0] if rule == "basic-auth-credentials" else FAKE[rule].rpartition("=")[2]
    )
    assert not [place for place in range(len(secret) - 7) if secret[place : place + 8] in left]  # nor a piece of it


EXAMPLE_ID, EXAMPLE_KEY = "AKIA" + "IOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
_HEAD, _FOOT = "-----BEGIN {}PRIVATE KEY{}-----", "-----END {}PRIVATE KEY{}-----"
ASSIGNED = [
    ("aws-access-key", "aws_access_key_id = {}", EXAMPLE_ID),
    ("aws-access-key", '"accessKeyId": "{}"', EXAMPLE_ID),
    ("aws-secret-key", "aws_secret_access_key = {}", EXAMPLE_KEY),
    ("aws-secret-key", "export AWS_SECRET_ACCESS_KEY={}", EXAMPLE_KEY),
    ("bearer-token", "Authorization: Bearer {}", "x7Kd9Qm2Lp4Zr8Tv1Wy3x7Kd"),
    ("assigned-secret", 'DB_PASSWORD="{}"', "Sup3rS3cret!"),
    ("assigned-secret", "MYSQL_ROOT_PASSWORD={}", "tr0ub4dor&3"),
    ("assigned-secret", "db_password: '{}'", "P@$$w0rd77"),
    ("assigned-secret", "api_key = '{}'", "x7Kd9Qm2"),
]
KEYS = [
    f"{_HEAD.format('RSA ', '')}\nMIIEpAIBAAKCAQEA7\n{_FOOT.format('RSA ', '')}",
    f"{_HEAD.format('RSA ', '')}\nMIIEpAIBAAKCAQEA...\n{_FOOT.format('RSA ', '')}",
    f"{_HEAD.format('', '')}\\nMIIEvQIBADANBgkqhkiG9w0\\nabcdef123\\n{_FOOT.format('', '')}\\n",
    f"{_HEAD.format('PGP ', ' BLOCK')}\nVersion: GnuPG v2\n\nlQOYBFxAbCdEfGhIjKlMn\n=abcd\n{_FOOT.format('PGP ', ' BLOCK')}",
    f"{_HEAD.format('OPENSSH ', '')}\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE",
]


@pytest.mark.parametrize(("rule", "form", "secret"), ASSIGNED)
def test_a_credential_is_known_by_the_name_it_is_assigned_to(rule: str, form: str, secret: str) -> None:
    text = form.format(secret)
    assert rule in [span.rule for span in find_credentials(text)]
    assert without_credentials(text) == form.format(REMOVED)


@pytest.mark.parametrize("key", KEYS)
def test_private_keys_short_cut_escaped_or_of_pgp_are_found(key: str) -> None:
    text = f"The file holds {key}"
    assert [span.rule for span in find_credentials(text)] == ["private-key"] and "MII" not in without_credentials(text)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- mark it",
        "Authorization: Bearer <token>, Bearer YOUR_TOKEN_GOES_HERE_123456, bearer authentication-schemes-of-oauth2",
        'DB_PASSWORD=${SECRET1234} DB_PASSWORD="changeme123" user_token = get_token1(x)',
        "session_key: 0123456789abcdef, primary_key=user_id_2, hive_key: HKLM1Software",
        "api_key = os.environ['API_KEY1']; reset_password: 'see-page-12'",
        "AKIAIOSFODNN7EXAMPLE",
        "files named sk-learn-something and -----BEGIN PRIVATE KEY----- headers",
        "http://user:password@example.com/ and https://<user>:<password>@host/",
        "The hash d41d8cd98f00b204e9800998ecf8427e, the commit c4f81d9616d40c60584e36abb15300853a66e489.",
        "password = 'hunter2' is a weak password; the key is API_KEY",
        "uuid 1235678-abcd-1a2b-3c4d-1a2b3c4d5e6f and powershell/cmd/mshta/rundll32/wscript",
        "",
    ],
)
def test_words_hashes_and_placeholders_are_no_credentials(text: str) -> None:
    assert find_credentials(text) == [] and without_credentials(text) == text


def test_a_credential_that_a_line_repeats_is_taken_out_each_time() -> None:
    key = FAKE["aws-access-key"]
    assert without_credentials(f"first {key}, then {key} again") == f"first {REMOVED}, then {REMOVED} again"


def test_a_fingerprint_tells_findings_apart_and_holds_nothing_of_them() -> None:
    one, two = fingerprint(FAKE["github-token"]), fingerprint(FAKE["aws-access-key"])
    assert one != two and len(one) == 8 and one not in FAKE["github-token"]


def test_nothing_is_sent_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for text in FAKE.values():
        find_credentials(text)
    assert "detect_secrets" in sys.modules


def test_time_does_not_grow_with_the_square_of_a_long_line() -> None:
    import time

    started = time.process_time()
    find_credentials("a" * 200_000 + " " + "ab1" * 60_000)
    assert time.process_time() - started < 10
