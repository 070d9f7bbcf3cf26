"""What the texts of relationships may be used for."""

import pytest

from stages.ingest.readers.attack.links import link_text, not_preventable_patterns, relation_of
from stages.ingest.readers.attack.lookup import Relationship

PROBLEM = "The scripts that can start other programs may not be needed on most of the machines of a toy company."


def relationship(kind: str, text: str) -> Relationship:
    return Relationship(relationship_type=kind, source_ref="a--1", target_ref="b--2", description=text)


def test_a_cut_mitigation_is_empty_because_its_end_holds_the_measure() -> None:
    assert link_text(relationship("mitigates", f"{PROBLEM} Remove th...")) == ""
    assert link_text(relationship("mitigates", f"{PROBLEM} Remove them.")) == f"{PROBLEM} Remove them."


def test_a_cut_use_keeps_its_whole_sentences_if_they_are_most_of_it() -> None:
    assert link_text(relationship("uses", f"{PROBLEM} It also...")) == PROBLEM
    assert link_text(relationship("uses", f"Copper Heron has opened one of the doors. {PROBLEM.rstrip('.')}...")) == ""


@pytest.mark.parametrize(
    ("kind", "text", "relation"),
    [
        (
            "mitigates",
            "This technique cannot be easily mitigated with preventive controls since it is remote.",
            "not-preventable",
        ),
        (
            "mitigates",
            "It likely should not be mitigated with preventative controls because it may protect...",
            "not-preventable",
        ),
        ("mitigates", "Users cannot be trusted; it is mitigated with preventive controls.", "mitigates"),
        ("uses", "It cannot be mitigated with preventive controls.", "uses"),
    ],
)
def test_a_mitigation_that_denies_itself_is_none(kind: str, text: str, relation: str) -> None:
    assert relation_of(relationship(kind, text), not_preventable_patterns()) == relation
