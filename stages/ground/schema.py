"""Evidence per row, with everything needed to follow it back to a licence and an address."""

import msgspec

WEB = "web"  # source of what a page of the web says; its entity id is `web:<16 hex digits>`, and no entry of the graph


class GroundedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What grounding did for one instruction row."""

    row_id: str
    task: str
    queries: list[str]  # all that were built
    kept_queries: list[str]  # those that the filter kept
    document_ids: list[str]  # grounding documents
    evidence: int  # passages kept
    request_hashes: list[str]
    summary: str = ""  # of the evidence, by the model, for the teacher to read instead of it; empty: it reads the passages


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One passage kept for one row."""

    row_id: str
    query: str  # empty for a grounding document
    passage_id: str
    entity_id: str
    uri: str
    licence: str
    rank: int  # 1 is best
    text: str
