"""Chains: every step is a link said in its own direction; a gap has one right filling."""

import pytest

from stages.errors import InputError
from stages.graph.schema import Path
from stages.knowledge import Knowledge
from stages.tasks.balance import choose
from stages.tasks.chain import node_path, path_gap
from stages.tasks.draft import Draft
from stages.tasks.params import TasksParams
from tests.tasks.small_graph import small_knowledge, small_tables


def test_each_step_is_said_in_the_direction_of_its_link() -> None:
    drafts = [draft for draft in node_path(small_knowledge(), TasksParams()) if isinstance(draft, Draft)]
    chain = next(draft for draft in drafts if draft.subject == "attack:T1000" and len(draft.entities) == 3)
    assert chain.answer.splitlines() == [
        "1. The technique Abuse of archive (T1000) corresponds to the attack pattern Trick with archive (CAPEC-300).",
        "2. The attack pattern Trick with archive (CAPEC-300) relies on the weakness Careless archive (CWE-200).",
        "3. The vulnerability CVE-2020-10000 is an instance of the weakness Careless archive (CWE-200).",
    ]


def test_a_gap_is_filled_by_one_option_only() -> None:
    knowledge = small_knowledge()
    names = {one.name: one.id for one in knowledge.techniques()}
    made = [draft for draft in path_gap(knowledge, TasksParams()) if isinstance(draft, Draft)]
    drafts = choose("path-gap", made, 100, 0)
    assert drafts
    for draft in drafts:
        used = {one.id for one in knowledge.objects(draft.subject, "uses", "technique")}
        assert [names[option] in used for option in draft.options] == [True, False, False, False]


def test_a_path_over_a_node_that_is_gone_is_left_out() -> None:
    tables = small_tables()
    tables["entities"] = [one for one in tables["entities"] if one.id != "capec:CAPEC-300"]
    assert not any("CAPEC-300" in draft.answer for draft in node_path(Knowledge(**tables), TasksParams()))


def test_an_unsaid_relation_names_the_file_to_mend() -> None:
    tables = small_tables()
    tables["paths"] = [Path(id="p", nodes=["attack:T1000", "attack:TA0001", "attack:TA0002"], relations=["achieves", "baffles"])]
    with pytest.raises(InputError, match=r"`baffles`[^$]*relations\.yaml"):
        list(node_path(Knowledge(**tables), TasksParams()))
