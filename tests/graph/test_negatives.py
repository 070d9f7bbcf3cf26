"""Hard negatives: similar, unlinked, and not a relative of the right answer."""

from stages.graph.negatives import find_negatives
from stages.graph.params import NegativeParams
from tests.graph.sample import entity, link, table

PATTERN = "vulnerability >instance-of weakness"


def world() -> tuple[dict, list]:  # type: ignore[type-arg]
    texts = {
        "right": "The product copies input into a buffer without checking its size.",
        "near": "The product copies input into a list without checking its length or size.",
        "child": "The product copies input into a stack buffer without checking its size.",
        "top": "The product handles a buffer wrongly when it copies input of unchecked size.",
        "far": "The product shows a password on the screen.",
        "stub": "The product copies input into a buffer without checking its size",
        "gone": "The product copies input into a buffer without checking its sizes.",
    }
    more = {"stub": {"fields": {"stub": True}}, "gone": {"deprecated": True}}
    entities = table(
        *(entity(id, "weakness", text, name="", **more.get(id, {})) for id, text in texts.items()), entity("v", "vulnerability")
    )
    links = [link("v", "instance-of", "right"), link("child", "child-of", "right"), link("right", "child-of", "top")]
    return entities, links


def test_nearest_first_without_relatives_stubs_and_withdrawn_ones() -> None:
    found = find_negatives(*world(), NegativeParams(patterns=[PATTERN]))
    assert [row.object for row in found] == ["near", "far"]
    assert found[0].similarity > found[1].similarity >= 0 and found[0].relation == "instance-of"


def test_a_linked_entity_is_no_negative_and_top_is_a_cap() -> None:
    entities, links = world()
    found = find_negatives(entities, [*links, link("v", "instance-of", "near")], NegativeParams(patterns=[PATTERN]))
    assert [row.object for row in found] == ["far"]
    assert len(find_negatives(entities, links, NegativeParams(patterns=[PATTERN], top=1))) == 1


def test_against_the_direction() -> None:
    entities, links = world()
    entities |= table(entity("v2", "vulnerability", "Text of v, nearly."))
    found = find_negatives(
        entities, [*links, link("v2", "instance-of", "far")], NegativeParams(patterns=["weakness ^instance-of vulnerability"])
    )
    assert {(row.subject, row.relation, row.object) for row in found} == {
        ("right", "^instance-of", "v2"),
        ("far", "^instance-of", "v"),
    }


def test_entities_without_text_are_compared_by_what_is_linked_to_them() -> None:
    import msgspec

    names = {"t1": "print queue", "t2": "print spooler", "t3": "camera"}
    tactics = [msgspec.structs.replace(entity(f"TA{i}", "tactic"), text="", name=f"Tactic{i}") for i in (1, 2, 3)]
    entities = table(*tactics, *(entity(id, name=name) for id, name in names.items()))
    links = [link(f"t{i}", "achieves", f"TA{i}") for i in (1, 2, 3)]
    found = find_negatives(entities, links, NegativeParams(patterns=["technique >achieves tactic"]))
    assert [row.object for row in found if row.subject == "t1"] == ["TA2", "TA3"]


def test_candidates_are_of_the_domain_of_the_right_answer() -> None:
    text = "Adversaries read the clipboard of the {}."
    domains = {"phone": "mobile", "tablet": "mobile", "watch": "mobile", "server": "enterprise", "plc": "ics"}
    techniques = [entity(id, text=text.format(id), fields={"domain": domain}) for id, domain in domains.items()]
    found = find_negatives(
        table(*techniques, entity("m", "mitigation")),
        [link("m", "mitigates", "phone")],
        NegativeParams(patterns=["mitigation >mitigates technique"]),
    )
    assert {row.object for row in found} == {"tablet", "watch"}
