"""Look-ups over the graph: what is hidden, who is family, which options are surely wrong."""

from stages.graph.schema import HardNegative, Path, Split
from stages.ingest.schema import Entity
from stages.kinds import load_kinds
from stages.knowledge import Knowledge
from tests.tasks.small_graph import entity, link


def weakness(number: int, name: str) -> Entity:
    return entity(f"cwe:CWE-{number}", "weakness", name, f"About {name}.")


ROOT, KIND, DEEP, OTHER, NEAR, TWIN = (
    weakness(place, name)
    for place, name in enumerate(
        ("Root flaw", "Kind of flaw", "Deep flaw", "Other mistake", "Near mistake", "deep FLAW"), start=1
    )
)
FLAW = entity("cve:CVE-2020-1", "vulnerability", "CVE-2020-1", "A text.")


def graph(*more: Entity, **tables: list) -> Knowledge:
    links = [link(KIND.id, "child-of", ROOT.id), link(DEEP.id, "child-of", KIND.id), link(FLAW.id, "instance-of", DEEP.id)]
    return Knowledge([ROOT, KIND, DEEP, OTHER, NEAR, TWIN, FLAW, *more], links + tables.pop("links", []), [], **tables)


def test_family_is_everything_above_and_below() -> None:
    assert graph().family(KIND.id) == {ROOT.id, KIND.id, DEEP.id}
    assert graph().family(OTHER.id) == {OTHER.id}


def test_a_circle_of_parents_ends() -> None:
    assert graph(links=[link(ROOT.id, "child-of", DEEP.id)]).family(ROOT.id) == {ROOT.id, KIND.id, DEEP.id}


def test_relatives_and_namesakes_are_no_distractors_and_hard_negatives_come_first() -> None:
    negatives = [HardNegative(subject=FLAW.id, relation="instance-of", object=one.id, similarity=0.9) for one in (NEAR, KIND)]
    knowledge = graph(negatives=negatives)
    wrong = knowledge.distractors(FLAW.id, "instance-of", [DEEP.id], list(knowledge.of_type("weakness")), 3)
    assert [one.id for one in wrong] == [NEAR.id, OTHER.id]


def test_what_is_deprecated_revoked_or_only_an_id_is_no_subject() -> None:
    gone = entity("cwe:CWE-90", "weakness", "Gone")
    old = Entity(**{name: getattr(gone, name) for name in gone.__struct_fields__} | {"id": "cwe:CWE-91", "deprecated": True})
    stub = entity("capec:CAPEC-9", "attack-pattern", "CAPEC-9", stub=True)
    knowledge = graph(old, stub, links=[link(stub.id, "exploits", ROOT.id), link(old.id, "child-of", ROOT.id)])
    assert not list(knowledge.of_type("attack-pattern")) and not knowledge.subjects(ROOT.id, "exploits")
    assert [one.subject for one in knowledge.links_to(ROOT.id, "exploits")] == [stub.id]
    assert [one.id for one in knowledge.subjects(ROOT.id, "child-of")] == [KIND.id]


def test_a_cut_text_is_no_text() -> None:
    cut = entity("cwe:CWE-92", "weakness", "Cut", "Whole sentence.", text_cut=True)
    dots = entity("cwe:CWE-93", "weakness", "Dots", "It ends in the mid...")
    knowledge = graph(cut, dots)
    assert knowledge.text(cut.id) == knowledge.text(dots.id) == "" and knowledge.text(ROOT.id)


def test_only_techniques_of_the_enterprise_matrix_are_asked() -> None:
    here, mobile = (
        entity(f"attack:T{number}", "technique", "Phishing", domain=domain)
        for number, domain in ((1, "enterprise"), (2, "mobile"))
    )
    assert [one.id for one in graph(here, mobile).techniques()] == [here.id]


def test_names_that_share_rare_words_are_closest() -> None:
    knowledge = graph()
    pool = list(knowledge.of_type("weakness"))
    assert knowledge.closest_by_name("This mistake is near to it", pool, 1) == [NEAR]


def test_what_has_no_split_is_shared_vocabulary() -> None:
    knowledge = Knowledge([ROOT], [], [Split(entity_id=ROOT.id, split="heldout")])
    assert knowledge.split(ROOT.id) == "heldout" and knowledge.split("attack:M1") == "train"


def test_words_of_every_text_bring_no_name_closer() -> None:
    texts = ["The product trusts a token.", "The product copies a cookie.", "The product opens a door."]
    names = ["Product at fault", "Cookie theft", "Open door"]
    made = [
        entity(f"cwe:CWE-{50 + place}", "weakness", name, text)
        for place, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    knowledge = Knowledge(made, [], [])
    assert knowledge.closest_by_name("The product loses a cookie.", made, 1) == [made[1]]


def test_techniques_of_one_name_are_told_apart_by_their_parents() -> None:
    names = {"T1": "Data Obfuscation", "T1.001": "Steganography", "T2": "Files", "T2.001": "Steganography", "T3": "Phishing"}
    made = [entity(f"attack:{one}", "technique", name) for one, name in names.items()]
    links = [link("attack:T1.001", "subtechnique-of", "attack:T1"), link("attack:T2.001", "subtechnique-of", "attack:T2")]
    shown = [one.name for one in Knowledge(made, links, []).techniques()]
    assert shown == ["Data Obfuscation", "Data Obfuscation: Steganography", "Files", "Files: Steganography", "Phishing"]
    assert "Steganography" in Knowledge(made, links, []).hidden_names("attack:T2.001")


def test_common_names_and_plurals_give_an_answer_away_too() -> None:
    flaw = entity("cwe:CWE-79", "weakness", "Bad Page ('Cross-site Scripting')", alternate_terms=[{"term": "XSS"}])
    hidden = Knowledge([flaw, entity("cwe:CWE-80", "weakness", "Race Memory")], [], []).hidden_names("cwe:CWE-79")
    assert {"Cross-site Scripting", "XSS", "XSSs", "Bad Page", "Bad Page ('Cross-site Scripting')"} <= set(hidden)
    assert "Race Memory" not in hidden


def test_what_the_benchmark_asks_is_held_back_and_nothing_else() -> None:
    kinds = [kind for kind in load_kinds() if kind.name == "cve-weakness"]
    old = entity("cve:CVE-2020-2", "vulnerability", "CVE-2020-2", "Another text.")
    path = Path(id="p", nodes=[FLAW.id, DEEP.id, KIND.id], relations=["instance-of", "child-of"])
    knowledge = Knowledge(
        [ROOT, KIND, DEEP, FLAW, old],
        [link(FLAW.id, "instance-of", DEEP.id), link(old.id, "instance-of", DEEP.id), link(DEEP.id, "child-of", KIND.id)],
        [Split(entity_id=FLAW.id, split="heldout"), Split(entity_id=DEEP.id, split="heldout")],
        paths=[path],
    )
    knowledge.hold_back(kinds)
    assert [one.id for one in knowledge.subjects(DEEP.id, "instance-of")] == [old.id]
    assert knowledge.objects(DEEP.id, "child-of") == [KIND] and knowledge.paths == []
    assert knowledge.distractors(DEEP.id, "^instance-of", [old.id], [FLAW, old], 2) == []
