"""Requirements, tests, categories and guides; every row carries the share-alike licence of its source."""

from msgspec.structs import replace

from stages.tasks.assemble import build_rows
from stages.tasks.catalogue import load_catalogue
from stages.tasks.owasp import choice_of_test, guide_advice, objectives_of_test, requirement_weakness, risk_category
from stages.tasks.params import TasksParams
from tests.tasks.drafted import drafts, known, skips
from tests.tasks.small_graph import entity, link

FLAW = "The product shows a page to everyone although only its owner may read it, because nobody checks the request, case"
ADVICE = (
    "Check every request on the server, deny by default, and write the rule once in a place that all handlers pass through. "
    "Test the rule with a user who must not pass, too."
)


def weaknesses():
    return [entity(f"cwe:CWE-10{place}", "weakness", f"Flaw {place}", f"{FLAW} {place}.") for place in range(5)]


def test_a_requirement_asks_for_the_weakness_that_it_rules_out() -> None:
    demand = "Verify that the application checks on the server whether the user may read the record that is asked for, case"
    requirements = [
        entity(f"asvs:5.0.0/V1.{place}", "verification-requirement", f"V1.{place}", f"{demand} {place}.") for place in range(5)
    ]
    links = [link(f"asvs:5.0.0/V1.{place}", "verifies", f"cwe:CWE-10{place}") for place in range(5)]
    made = drafts(requirement_weakness, known([*weaknesses(), *requirements], links))
    assert [draft.options[0] for draft in made] == [f"Flaw {place}" for place in range(5)]
    assert made[0].answer == "Requirement V1.0 is met only where Flaw 0 (CWE-100) is absent."


def test_categories_of_two_editions_are_never_mixed() -> None:
    categories = [
        entity(f"owasp-top10:A0{place}-{edition}", "risk-category", f"Risk {place} of {edition}")
        for edition in (2021, 2025)
        for place in range(1, 5)
    ]
    links = [link(f"owasp-top10:A01-{edition}", "includes", "cwe:CWE-100") for edition in (2021, 2025)]
    made = drafts(risk_category, known([*weaknesses(), *categories], links))
    assert {draft.slots["edition"]: draft.options[0] for draft in made} == {"2021": "Risk 1 of 2021", "2025": "Risk 1 of 2025"}
    for draft in made:
        assert all(name.endswith(draft.slots["edition"]) for name in draft.ask.hard)


def test_a_test_is_found_by_its_objectives_which_do_not_name_it() -> None:
    tests = [
        entity(
            f"wstg:WSTG-ATHN-0{place}",
            "security-test",
            f"Lock {place}",
            objectives=[f"Find out how often Lock {place} may be tried in a row."],
        )
        for place in range(5)
    ]
    knowledge = known(tests)
    made = drafts(choice_of_test, knowledge)
    assert made[0].options == ["Lock 0"] and "Lock 0" not in made[0].slots["text"]
    assert drafts(objectives_of_test, knowledge)[0].answer == "Objectives:\n- Find out how often Lock 0 may be tried in a row."


def test_sections_without_advice_are_left_out() -> None:
    sections = [
        {"heading": "Access", "text": ADVICE},
        {"heading": "References", "text": ADVICE},
        {"heading": "Short", "text": "See above."},
        {"heading": "In Java", "text": ADVICE},
        {"heading": "In Java", "text": ADVICE},
    ]
    knowledge = known([entity("owasp-cheatsheet:access", "guide", "Access Control", sections=sections)])
    assert [draft.slots["heading"] for draft in drafts(guide_advice, knowledge)] == ["Access"]
    assert skips(guide_advice, knowledge) == {"owasp-cheatsheet:access": "ambiguous-key"}


def test_a_row_keeps_the_share_alike_licence() -> None:
    guide = entity("owasp-cheatsheet:access", "guide", "Access Control", sections=[{"heading": "Access", "text": ADVICE}])
    task = next(task for task in load_catalogue() if task.name == "guide-advice")
    rows, _, _ = build_rows(known([replace(guide, licence="CC-BY-SA-4.0")]), [task], TasksParams())
    assert [row.licences for row in rows] == [["CC-BY-SA-4.0"]]
