"""Building and testing web applications: requirements, tests, risk categories and guides of OWASP (share-alike)."""

import re
from collections import Counter
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import clip, mask, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.linked import linked_choice
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, gives_away, number, points, short_text, titled

Drafts = Iterator[Draft | Skip]
_LIQUID = re.compile(r"\{%.*?%\}\s?")  # left of the page templates
BARE_HEADINGS = ("", "introduction", "overview", "references", "related articles", "further reading", "conclusion", "summary")
LEAST_WORDS = 30  # of a section: shorter ones only announce what follows


def requirement_weakness(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Verification requirement of ASVS -> the weakness of four that meeting it rules out (`verifies`)."""

    def because(requirement: Entity, weakness: Entity) -> str:
        return f"Requirement {number(requirement.id).rpartition('/')[2]} is met only where {titled(weakness)} is absent"

    subjects = list(knowledge.of_type("verification-requirement"))
    return linked_choice(knowledge, params, subjects, "verifies", "weakness", because)


def objectives_of_test(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Security test -> what the tester has to find out (`objectives`), and how it is mended."""
    for test in knowledge.of_type("security-test"):
        objectives = points(_strings(test, "objectives"), params.max_answer_words // 2)
        remedy = clip(" ".join(_strings(test, "remediation")), params.max_answer_words // 2)
        if not objectives:
            yield Skip(test.id, "no-field")
            continue
        answer = f"Objectives:\n{objectives}" + (f"\nRemedy: {sentence(remedy)}" if remedy else "")
        yield Draft(subject=test.id, slots={"name": test.name, "id": number(test.id)}, answer=answer)


def choice_of_test(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Objectives of a test -> the test of four that has them; the others are of the same chapter where it is large enough."""
    tests = list(knowledge.of_type("security-test"))
    for test in tests:
        objectives = [clip(one, 40) for one in _strings(test, "objectives")]
        text = mask(" ".join(sentence(one) for one in objectives if one), knowledge.hidden_names(test.id))
        bare = re.sub(r"^Test(?:ing)?(?: for)? ", "", test.name)
        if len(text.split()) < 8 or gives_away(text, bare):
            yield Skip(test.id, "no-field" if len(text.split()) < 8 else "names-the-answer")
            continue
        near = [one for one in tests if _chapter(one) == _chapter(test)]
        because = f"These are the objectives of {titled(test)}"
        yield choice(knowledge, test, {"text": text}, test, [], tests, relation="text", because=because, near=near)


def risk_category(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness and edition -> the category of that OWASP Top 10 under which it is counted (`includes`)."""
    pools: dict[str, list[Entity]] = {}
    for category in knowledge.of_type("risk-category"):
        pools.setdefault(_edition(category), []).append(category)
    categories = {category.name for pool in pools.values() for category in pool}
    for weakness in knowledge.of_type("weakness") if pools else ():
        text = mask(short_text(knowledge, weakness, params), categories)
        for category in knowledge.subjects(weakness.id, "includes", "risk-category"):
            if not text:
                yield Skip(weakness.id, "no-text")
                continue
            edition = _edition(category)
            others = [one for one in knowledge.subjects(weakness.id, "includes", "risk-category") if _edition(one) == edition]
            slots = {"name": weakness.name, "text": text, "edition": edition}
            because = f"{titled(weakness)} is counted under {titled(category)}"
            yield choice(
                knowledge, weakness, slots, category, others, pools[edition], relation="^includes", because=because, group=edition
            )


def guide_advice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Guide and heading -> what the guide advises there (`sections`)."""
    for guide in knowledge.of_type("guide", "owasp-cheatsheet"):
        sections = guide.fields.get("sections") or []
        times = Counter(str(section.get("heading") or "").strip() for section in sections)
        for section in sections:
            text = clip(str(section.get("text") or ""), params.max_answer_words)
            heading = str(section.get("heading") or "").strip()
            shown = re.sub(r"^\d+(?:\.\d+)*[.)]?\s+", "", heading)
            if times[heading] > 1:
                yield Skip(guide.id, "ambiguous-key")
                continue
            if len(text.split()) < LEAST_WORDS or heading.casefold() in BARE_HEADINGS:
                yield Skip(guide.id, "thin-answer")
                continue
            yield Draft(subject=guide.id, slots={"name": guide.name, "heading": shown}, answer=text)


def _strings(entity: Entity, field: str) -> list[str]:
    """A field as strings, whether its source gives one or several."""
    value = entity.fields.get(field) or []
    return [_LIQUID.sub("", str(one)) for one in (value if isinstance(value, list) else [value])]


def _edition(category: Entity) -> str:
    """`2021` of `owasp-top10:A01-2021`."""
    return category.id.rpartition("-")[2]


def _chapter(test: Entity) -> str:
    """`WSTG-INPV` of `wstg:WSTG-INPV-05`."""
    return test.id.rpartition("-")[0]
