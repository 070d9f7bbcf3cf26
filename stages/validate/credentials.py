"""Credentials in text, by the rules of detect-secrets and of this file where it has none or too wide a one.

Of the library only the patterns are used: its checks against the issuers' servers are never called, so nothing is sent
anywhere. Its rules for key words, entropy and bare headers are left out: in prose about security they find the words,
not the secrets. A finding is shown by a fingerprint only, never by any of its characters.
"""

import hashlib
import importlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

RULES = (
    "artifactory", "aws", "azure_storage_key", "basic_auth", "cloudant", "discord", "github_token", "gitlab_token",
    "ibm_cloud_iam", "ibm_cos_hmac", "jwt", "mailchimp", "npm", "openai", "pypi_token", "sendgrid", "slack", "softlayer",
    "square_oauth", "stripe", "telegram_token", "twilio",
)  # fmt: skip
REMOVED = "[credential]"
_LEAST = 8  # characters; what a rule gives below that may be a mere prefix

# Formats with a fixed prefix and length, as their issuers document them.
_OWN = {
    "github-token": re.compile(r"\bgithub_pat_\w{82}\b"),
    "google-api-key": re.compile(r"\bAIza[\w-]{35}\b"),
    "openai-token": re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{40,}\b"),
    "json-web-token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"),
    "private-key": re.compile(
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:\s|\\[nr])+[A-Z][\w-]*: [^\n\\]{1,80})*(?:\s|\\[nr])+"
        r"(?:[A-Za-z0-9+/=\s]{64,}(?:-----END (?:[A-Z]+ )?PRIVATE KEY-----)?|"
        r"(?:[A-Za-z0-9+/=.…\s]|\\[nr]){12,}?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|"
        r"(?=[A-Za-z+/]{0,40}[0-9])[A-Za-z0-9+/=]{24,}(?:[A-Za-z0-9+/=]|\s|\\[nr])*)"
    ),
    "slack-token": re.compile(r"\bxox[abprs]-\d{8,}-[\w-]{10,}"),
    "stripe-access-key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{24,}\b"),
    "npm-token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "hugging-face-token": re.compile(r"\bhf_[A-Za-z0-9]{34,40}\b"),
    "vault-token": re.compile(r"\bhv[sbr]\.[\w-]{24,}"),
    "digitalocean-token": re.compile(r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    "shopify-token": re.compile(r"\bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}\b"),
}  # fmt: skip
# Known by what stands before them; the group is the credential. AWS's documented example keys count here: a model that has
# learnt such an assignment completes it, with whatever key.
_AWS = {
    "aws-secret-key": re.compile(
        r"aws_?secret(?:_?access)?_?key[\"'\]]*\s*(?:=>|[:=])\s*[\"']?([A-Za-z0-9/+]{40})(?![\w/+=])", re.I
    ),
    "aws-access-key": re.compile(r"key(?:[ _-]?id)?[\"'\]]*\s*(?:=>|[:=])\s*[\"']?((?-i:A[KS]IA[A-Z0-9]{16}))\b", re.I),
}
_ASSIGNED = {
    "bearer-token": re.compile(r"\bBearer\s+(?=[\w.~+/-]{0,80}\d)(?=[\d.~+/_-]{0,80}[A-Za-z])([\w.~+/-]{20,}=*)"),
    "assigned-secret": re.compile(
        r"(?<=[a-z0-9][_-])(?:password|passwd|passphrase|pwd|secret|token|key)[\"'\]]*[ \t]*(?:=>|[:=])[ \t]*"
        r"(?:\"(?P<double>[^\"\s\\<>{}()%]{8,64})\"|'(?P<single>[^'\s\\<>{}()%]{8,64})'|(?:(?<==)|(?<== ))(?P<bare>[^\"'\s\\$<>{}()%,;.\[\]]{8,64})(?=[\s;]|$))", re.I,
    ),
}  # fmt: skip
# What every rule needs: a long run with a digit in it, the prefix of a short token, or a login in an address.
_POSSIBLE = re.compile(
    r"(?<![\w+/=-])(?=[A-Za-z_+/=-]{0,60}[0-9])[\w+/=-]{20,}|\bA[KP][CG]?\w{10,}|\bAIza|PRIVATE KEY|://[^\s/@]+:[^\s/@]+@|"
    r"\b(?:hf|npm)_|\bhv[sbr]\.|\bBearer\s|(?i:[_-](?:password|passwd|passphrase|pwd|secret|token|key)[\"'\]]*[ \t]*[:=])"
)
_PLACEHOLDER = re.compile(
    r"EXAMPLE|^(?:\W|_)*(?:pass(?:word|wd)?|pwd|secret|token|key|x+|y+|\*+|\.+|0+|1234\d*|changeme|foobar|foo|bar)(?:\W|_)*$|^[<{$%\[]", re.I
)  # fmt: skip
# Of an assigned value: names, not secrets.
_NO_SECRET = re.compile(
    r"your|change_?me|placeholder|x{4}|redacted|dummy|sample|example|insert|hunter2|\*{3}|^(?:0x)?[0-9a-f]*$|^[\d.:-]+$|^[a-z]+(?:[_.-][a-z]+)*[_.-]?\d{0,2}$|"
    r"^[A-Z]+(?:_[A-Z0-9]+)+$|://|^[/$]", re.I
)  # fmt: skip


class Span(NamedTuple):
    """A place in a text: `rule` says what was found, `replacement` what may stand there instead."""

    rule: str
    start: int
    end: int
    replacement: str


def find_credentials(text: str) -> list[Span]:
    """Every credential of `text`, in order. Placeholders of documentation are none."""
    if not _POSSIBLE.search(text):
        return []
    spans = [Span(rule, *found.span(), REMOVED) for rule, pattern in _OWN.items() for found in pattern.finditer(text)]
    spans += _assigned(text)
    for start, line in _lines_to_search(text):
        for rule, value in _by_library(line):
            if value and not _PLACEHOLDER.search(value):
                places = (found.span() for found in re.finditer(re.escape(value), line))  # a line may repeat it
                spans += [Span(rule, start + first, start + last, REMOVED) for first, last in places]
    return without_overlaps(spans)


def _assigned(text: str) -> Iterator[Span]:
    for rule, pattern in (_AWS | _ASSIGNED).items():
        for found in pattern.finditer(text):
            value = found[found.lastindex or 0]
            if rule in _AWS or (_is_mixed(value) and not _PLACEHOLDER.search(value) and not _NO_SECRET.search(value)):
                yield Span(rule, *found.span(found.lastindex or 0), REMOVED)


def _is_mixed(value: str) -> bool:
    """Letters and digits, as made by people for a system or by a machine."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def without_credentials(text: str) -> str:
    """`text` with every credential taken out: for whatever is printed or written about a row."""
    return replaced(text, find_credentials(text))


def fingerprint(value: str) -> str:
    """Eight hex digits of the SHA-256: enough to see that two findings are the same, far too few to be the secret."""
    return hashlib.sha256(value.encode()).hexdigest()[:8]


def replaced(text: str, spans: list[Span]) -> str:
    """`text` with the replacement at each span; spans must not overlap."""
    for span in sorted(spans, key=lambda one: one.start, reverse=True):
        text = text[: span.start] + span.replacement + text[span.end :]
    return text


def without_overlaps(spans: list[Span]) -> list[Span]:
    """The longest of spans that overlap, in order."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda one: (one.start - one.end, one.start, one.rule)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda one: one.start)


def _lines_to_search(text: str) -> Iterator[tuple[int, str]]:
    """(start, line) of lines where a rule of the library could find anything: one quick look spares 22 slow ones."""
    start = 0
    for line in text.splitlines(keepends=True):
        if _POSSIBLE.search(line):
            yield start, line
        start += len(line)


def _by_library(line: str) -> Iterator[tuple[str, str]]:
    for rule, detector in _detectors():
        for value in detector.analyze_string(line):
            yield rule, value if len(value) >= _LEAST else _whole(value, line, detector)


def _whole(value: str, line: str, detector: Any) -> str:
    """The match that `value` is a group of: the library gives `ghp` for a token that starts so."""
    matches = [found[0] for pattern in detector.denylist for found in pattern.finditer(line)]
    return min((match for match in matches if value in match), key=len, default=value)


@cache
def _detectors() -> list[tuple[str, Any]]:
    """(rule, detector) of the library, by module name."""
    from detect_secrets.plugins.base import RegexBasedDetector

    found = []
    for name in RULES:
        module = importlib.import_module(f"detect_secrets.plugins.{name}")
        kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
        found += [(_rule(kind.secret_type), kind()) for kind in kinds if issubclass(kind, RegexBasedDetector)]
    return found


def _rule(secret_type: str) -> str:
    """`AWS Access Key` -> `aws-access-key`."""
    return "-".join(re.findall(r"[a-z0-9]+", secret_type.casefold()))
