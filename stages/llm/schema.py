"""Stored responses: the part of the LLM cache that a build used, as a table that travels with it."""

import msgspec


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One finished call. Neither key nor response ever holds a credential."""

    key: str  # SHA-256 of namespace, model identity, attempt and the whole request payload
    namespace: str  # stage and purpose: `enrich.rewrite`
    model: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
