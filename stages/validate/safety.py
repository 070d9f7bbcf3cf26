"""Text that could do harm in training: chat-template tokens, and credentials.

Security sources quote both, so the patterns are few and precise. No report ever holds a secret: a reject says
which kind was found and where, not what.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from stages.enrich.schema import EnrichedRow
from stages.tables import Reject
from stages.validate.params import SafetyParams

# Delimiters of ChatML, Llama 2 and 3, Mistral, Gemma and GPT-2: a tokenizer may read them as control tokens.
CONTROL = re.compile(
    r"<\|[A-Za-z][\w./ -]{0,40}\|>|<(?=/?s>)|<</?SYS>>|\[/?INST\]|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|<｜[^｜<>]{1,40}｜>"
)

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
        tokens = CONTROL.search(row.instruction) or CONTROL.search(row.answer)
        if kinds and params.secrets == "reject":
            rejects.append(Reject("validate", row.id, "secret", ", ".join(kinds)))
        elif tokens and params.control_tokens == "reject":
            rejects.append(Reject("validate", row.id, "control-token", neutralise(tokens[0])))
        else:
            neutralised += bool(tokens)
            kept.append(_neutralised(row) if tokens else row)
    return Safe(kept, rejects, neutralised, dict(sorted(secrets.items())))


def secrets_in(text: str) -> list[str]:
    """Kinds of credential that `text` holds."""
    return [kind for kind, pattern in SECRETS.items() if pattern.search(text)]


def neutralise(text: str) -> str:
    """Break every control token with a space after its first character; people still read it."""
    return CONTROL.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def _neutralised(row: EnrichedRow) -> EnrichedRow:
    return msgspec.structs.replace(row, instruction=neutralise(row.instruction), answer=neutralise(row.answer))
