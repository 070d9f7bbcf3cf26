"""What stands on everything that the review keeps: an id and a time."""

import secrets
from datetime import UTC, datetime


def now() -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id() -> str:
    """16 random hex digits."""
    return secrets.token_hex(8)
