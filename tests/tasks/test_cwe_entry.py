"""Sections of a weakness entry: terms both ways, introduction, neighbours, summary."""

from stages.tasks import cwe_entry
from tests.tasks.pieces import drafts, graph, skips
from tests.tasks.small_graph import entity, link


def weakness(number: int, name: str, **fields: object):
    return entity(f"cwe:CWE-{number}", "weakness", name, f"The shop has {name} at its door.", **fields)


def test_background_is_joined() -> None:
    knowledge = graph([weakness(1, "One", background=["A lock has a bolt.", "A bolt has a spring."]), weakness(2, "Two")])
    assert drafts(cwe_entry.weakness_background, knowledge)[0].answer == "A lock has a bolt. A bolt has a spring."
    assert skips(cwe_entry.weakness_background, knowledge) == {"cwe:CWE-2": "no-field"}


def test_terms_stand_for_one_entry_that_does_not_name_them() -> None:
    terms = [{"term": "LBX", "description": "Short for loose box."}, {"term": "Shared"}, {"term": "Loose Box"}]
    knowledge = graph(
        [weakness(1, "Loose Box at the Door", alternate_terms=terms), weakness(2, "Two", alternate_terms=[{"term": "shared"}])]
    )
    (draft,) = drafts(cwe_entry.term_weakness, knowledge)
    assert (draft.slots, draft.key) == ({"term": "LBX"}, ["CWE-1"])
    told = {one.subject: one.answer for one in drafts(cwe_entry.weakness_alternate_terms, knowledge)}
    assert told["cwe:CWE-2"] == 'Two (CWE-2) is also called "shared".'
    assert "- LBX: Short for loose box.\n- Shared" in told["cwe:CWE-1"]


def test_a_note_that_many_entries_share_is_nobodys_answer() -> None:
    same = [{"phase": "Implementation", "note": "It comes about in code."}]
    own = [{"phase": "Operation"}, {"phase": "Implementation", "note": "The clerk forgets the key."}]
    knowledge = graph(
        [
            *(weakness(number, f"W{number}", modes_of_introduction=same) for number in range(1, 6)),
            weakness(9, "Nine", modes_of_introduction=own),
        ]
    )
    (draft,) = drafts(cwe_entry.weakness_introduction, knowledge)
    assert (
        draft.answer
        == "Nine arises during operation and implementation.\n- Operation.\n- Implementation: The clerk forgets the key."
    )


def test_patterns_and_vulnerabilities_leave_out_what_is_held_out() -> None:
    entities = [
        weakness(1, "One"),
        entity("capec:CAPEC-1", "attack-pattern", "Push", "Somebody pushes the door."),
        entity("capec:CAPEC-2", "attack-pattern", "Pull", "Somebody pulls the door."),
        *(entity(f"cve:CVE-2020-000{n}", "vulnerability", f"CVE-2020-000{n}", text) for n, text in enumerate(
            ("The till of the shop opens by itself.", "A parrot repeats the code of the safe.", "The till of the shop opens by itself alone."))),
    ]  # fmt: skip
    links = [link(f"capec:CAPEC-{n}", "exploits", "cwe:CWE-1") for n in (1, 2)]
    links += [link(f"cve:CVE-2020-000{n}", "instance-of", "cwe:CWE-1") for n in range(3)]
    knowledge = graph(entities, links, capec__CAPEC_2="heldout")
    assert drafts(cwe_entry.weakness_patterns, knowledge)[0].answer == "- Push (CAPEC-1): Somebody pushes the door."
    (shown,) = drafts(cwe_entry.weakness_vulnerabilities, knowledge)
    assert len(shown.answer.splitlines()) == 2 == len(shown.quoted)  # of two texts that are nearly equal only one is told
    assert drafts(cwe_entry.weakness_vulnerabilities, graph(entities, links, cve__CVE_2020_0001="heldout")) == []


def test_a_summary_joins_origin_damage_and_remedy() -> None:
    fields = {
        "description": "The door has no lock.",
        "modes_of_introduction": [{"phase": "Architecture and Design"}, {"phase": "Architecture and Design"}],
        "consequences": [{"scopes": ["Integrity", "Availability"], "impacts": ["Modify Data"]}, {"scopes": ["Other"]}],
        "mitigations": [{"phases": ["Operation"], "description": "Hire a guard."}],
    }
    knowledge = graph([weakness(1, "One", **fields), weakness(2, "Two", description="Nothing more is known.")])
    (draft,) = drafts(cwe_entry.weakness_summary, knowledge)
    assert draft.answer == (
        "One (CWE-1): The door has no lock. It arises in architecture and design. "
        "It endangers integrity and availability (modify data); other properties. A remedy (operation): Hire a guard."
    )
