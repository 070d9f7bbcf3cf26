"""Text that could do harm in training: chat-template tokens, and credentials.

Security sources quote both, so the patterns are few and precise. No report ever holds a secret: a reject says
which kind was found and where, not what.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from stages.control_tokens import first_control_token, without_control_tokens
from stages.enrich.schema import EnrichedRow
from stages.tables import Reject
from stages.validate.params import SafetyParams

# Formats with a fixed prefix and length, as their issuers document them. Keys of documentation end in EXAMPLE.
SECRETS = {
    "aws-access-key": re.compile(r"\b(?:AKIA|ASIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z2-7]{16}\b"),
    "github-token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{82}\b"),
    "google-api-key": re.compile(r"\bAIza[\w-]{35}\b"),
    "openai-key": re.compile(r"\bsk-(?:proj-)?[A-Za-z0-9_-]{40,}\b"),
    "private-key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64,}"),
    "slack-token": re.compile(r"\bxox[abprs]-\d{8,}-[\w-]{10,}"),
    "stripe-key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{24,}\b"),
}


class Safe(NamedTuple):
    """Rows that stay (neutralised where needed), rejects, and counts by finding."""

    rows: list[EnrichedRow]
    rejects: list[Reject]
    neutralised: int  # rows whose control tokens were broken up
    secrets: dict[str, int]  # kind -> rows, kept ones included


def make_safe(rows: Sequence[EnrichedRow], params: SafetyParams) -> Safe:
    """Apply the policy to instruction and answer of each row; ids stay, so that a row can be followed back."""
    kept, rejects, secrets, neutralised = [], [], Counter[str](), 0
    for row in rows:
        kinds = secrets_in(f"{row.instruction}\n{row.answer}")
        secrets.update(kinds)
        token = first_control_token(row.instruction) or first_control_token(row.answer)
        if kinds and params.secrets == "reject":
            rejects.append(Reject("validate", row.id, "secret", ", ".join(kinds)))
        elif token and params.control_tokens == "reject":
            rejects.append(Reject("validate", row.id, "control-token", token))
        else:
            neutralised += bool(token)
            kept.append(_neutralised(row) if token else row)
    return Safe(kept, rejects, neutralised, dict(sorted(secrets.items())))


def secrets_in(text: str) -> list[str]:
    """Kinds of credential that `text` holds."""
    return [kind for kind, pattern in SECRETS.items() if pattern.search(text)]


def _neutralised(row: EnrichedRow) -> EnrichedRow:
    safe = {name: without_control_tokens(getattr(row, name)) for name in ("instruction", "answer")}
    return msgspec.structs.replace(row, **safe)
