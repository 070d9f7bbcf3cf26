"""Rules written and read: the logic stays as it is, the author stays named, names do not give answers away."""

from ruamel.yaml import YAML

from stages.tasks import sigma_rule
from tests.tasks.pieces import drafts, graph, skips
from tests.tasks.small_graph import entity, link

LOGIC = "selection:\n  Image|endswith: \\mouse.exe\n  CommandLine:\n  - '*'\n  - ' -x '"


def rule(place: int = 1, **fields: object):
    known = {"author": "A. Cat: hunter", "level": "high", "category": "process_creation", "product": "windows"}
    known |= {"detection": LOGIC, "condition": "selection"}
    return entity(
        f"sigma:rule-{place}", "sigma-rule", "Mouse Seen: Twice", "Detects a mouse that runs Night Walk twice.", **known | fields
    )


def attack(*numbers: str) -> tuple[list, list]:
    entities = [entity("attack:TA0001", "tactic", "Dinner")]
    entities += [
        entity(f"attack:{one}", "technique", "Night Walk", "Someone walks through the house at night.") for one in numbers
    ]
    links = [link(f"attack:{one}", "achieves", "attack:TA0001") for one in numbers]
    return entities, [*links, *(link("sigma:rule-1", "detects", f"attack:{one}") for one in numbers)]


def test_a_built_rule_is_yaml_with_author_and_its_own_logic() -> None:
    (draft,) = drafts(sigma_rule.rule_building, graph([rule(service="sysmon")]))
    first, *inner, last = draft.answer.splitlines()
    assert (first, last) == ("```yaml", "```")
    document = YAML(typ="safe", pure=True).load("\n".join(inner))
    assert document == {
        "title": "Mouse Seen: Twice", "author": "A. Cat: hunter", "level": "high",
        "logsource": {"category": "process_creation", "product": "windows", "service": "sysmon"},
        "detection": {"selection": {"Image|endswith": "\\mouse.exe", "CommandLine": ["*", " -x "]}, "condition": "selection"},
    }  # fmt: skip
    assert draft.slots["source"] == "process creation events of windows" and "mouse.exe" not in draft.slots["text"]


def test_a_condition_inside_the_section_is_not_repeated_and_its_head_goes() -> None:
    text = f"detection:\n{sigma_rule.detection_logic(rule())}".replace("\n", "\n    ")
    assert sigma_rule.detection_logic(rule(detection=text)) == f"{LOGIC}\ncondition: selection"


def test_rules_without_logic_condition_or_end_make_no_rows() -> None:
    bad = [rule(1, detection=""), rule(2, condition=""), rule(3, detection=LOGIC + "\n  - mouse" * 200)]
    found = {"sigma:rule-1": "no-field", "sigma:rule-2": "no-field", "sigma:rule-3": "long-answer"}
    assert skips(sigma_rule.rule_building, graph(bad)) == skips(sigma_rule.rule_goal, graph(bad)) == found


def test_the_goal_is_asked_without_title_and_description() -> None:
    entities, links = attack("T1001")
    (draft,) = drafts(sigma_rule.rule_goal, graph([rule(), *entities], links))
    assert "Mouse Seen" not in draft.slots["rule"] and "Detects" not in draft.slots["rule"]
    assert draft.answer == (
        "Mouse Seen: Twice: Detects a mouse that runs Night Walk twice.\nA match points to Night Walk (T1001)."
    )


def test_the_attack_is_asked_without_its_name() -> None:
    entities, links = attack("T1001")
    (draft,) = drafts(sigma_rule.rule_attack, graph([rule(), *entities], links))
    assert draft.slots == {"text": "Detects a mouse that runs [...] twice."} and draft.quoted == ["attack:T1001"]
    assert draft.answer.endswith("is Night Walk (T1001), which serves Dinner. Someone walks through the house at night.")
    entities, links = attack("T1001", "T1002")
    assert skips(sigma_rule.rule_attack, graph([rule(), *entities], links)) == {"sigma:rule-1": "ambiguous-key"}


def test_a_description_follows_from_title_technique_and_source() -> None:
    entities, links = attack("T1001")
    (draft,) = drafts(sigma_rule.rule_description, graph([rule(), *entities], links))
    assert draft.slots == {
        "title": "Mouse Seen: Twice", "technique": "Night Walk (T1001)", "source": "process creation events of windows", "level": "high",
    }  # fmt: skip
    assert skips(sigma_rule.rule_description, graph([rule()])) == {"sigma:rule-1": "no-field"}
