"""Instruction rows with template answers: the first step of SecKnowledge."""

import msgspec


class InstructionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction and its answer; every fact in it can be followed to `entity_ids`."""

    id: str  # content hash of task, instruction and answer
    task: str  # `cve-to-cwe`; the name of its format file
    family: str  # attack, cwe, capec, cve, sigma, d3fend, path, ...
    instruction: str
    answer: str
    key_kind: str  # letter, yes-no, cwe, technique, id, vector, none: which extractor checks an answer
    answer_key: list[str]  # every right value; empty if the answer is free text
    subject: str  # the subject document: the unit that is held out
    entity_ids: list[str]  # every entity whose facts are used, subject first
    document_ids: list[str]  # entities whose official entry is the grounding document
    split: str  # train or dev; held-out subjects make no rows here
    labels: list[str]  # taxonomy labels
    sources: list[str]
    licences: list[str]
