"""Software of ATT&CK: malware and tools, known by what they do."""

import re
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, hash_order, number, rarest, times_linked, titled
from stages.tasks.recognition import choose_name, confirm_name, describe_with, ordinary_words, shown_text

Drafts = Iterator[Draft | Skip]
MOST_TECHNIQUES = 4
LEAST_USED = 4  # techniques of a program from which the fitting one is to be found
KINDS = {"malware": "malware", "tool": "a tool"}
_CLASS_TOLD = re.compile(
    r"\b(?:malicious|trojan|backdoor|rats?|ransomware|worm|virus|wiper|rootkit|implant|spyware|bot|botnet|legitimate|adware|bootkit|infector|"
    r"is (?!an? |the )\w+ malware|remote access tool|remote access trojan|malware famil\w+|stealer|keylogger)\b",
    re.IGNORECASE,
)


def software_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> what the program is, where it runs and which techniques set it apart: a profile out of three relations."""
    times = times_linked(knowledge, "uses", knowledge.techniques(), "malware")
    pool = _software(knowledge)
    facts: dict[str, list[str]] = {}
    for one in pool:
        used = [other for other in knowledge.objects(one.id, "uses", "technique") if other.id in times]
        seen = [titled(other) for other in rarest(used, times, one.id)[:MOST_TECHNIQUES]]
        platforms = one.fields.get("platforms") or []
        facts[one.id] = [sentence(f"It runs on {listing(sorted(platforms))}")] if platforms else []
        facts[one.id] += [sentence(f"Techniques reported for it include {listing(seen)}")] if seen else []
    return describe_with(knowledge, params, pool, facts)


def software_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description -> software id and whether it is malware or a tool."""
    pool = _software(knowledge)
    ordinary = ordinary_words(pool)
    for one in pool:
        text = shown_text(knowledge, one, params, ordinary)
        if not text:
            yield Skip(one.id, "no-text")
            continue
        answer = f"Software: {one.name}, {KINDS[one.type]}"
        yield Draft(subject=one.id, slots={"text": text}, answer=answer, key=[number(one.id)])


def software_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description -> one of four programs with near descriptions: weighing platform, period, users and abilities."""
    pool = _software(knowledge)
    return choose_name(knowledge, params, pool, "software", ordinary_words(pool))


def software_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Description and a name -> is it that program? A wrong name is answered with what that program is."""
    pool = _software(knowledge)
    return confirm_name(knowledge, params, pool, "software", ordinary_words(pool))


def software_kind(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Abilities and users of a program -> malware, or a tool that others use as well? Dual use, with the class words taken out."""
    for one in _software(knowledge):
        text = shown_text(knowledge, one, params, frozenset())
        if not text or _CLASS_TOLD.search(text):
            yield Skip(one.id, "names-the-answer" if text else "no-text")
            continue
        slots = {"text": _without_class(text)}
        if one.type == "tool":
            answer = f"The text is about {one.name}, which ATT&CK lists as a tool: software that defenders and testers use, too."
        else:
            answer = f"The text is about {one.name}, which ATT&CK lists as malware: software made for intrusions."
        yield Draft(subject=one.id, slots=slots, answer=answer, verdict=one.type == "malware")


def software_goal_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Program and goal -> which of its techniques serves it? Wrong ones it uses as well, for other ends: actor, act and aim joined."""
    goals = {
        one.id: {link.object for link in knowledge.links_from(one.id, "achieves", "tactic")} for one in knowledge.techniques()
    }
    pool = list(knowledge.techniques())
    times = times_linked(knowledge, "uses", pool, "malware")
    for one in _software(knowledge):
        used = [other for other in knowledge.objects(one.id, "uses", "technique") if goals.get(other.id)]
        if len(used) < LEAST_USED:
            yield Skip(one.id, "no-link")
            continue
        right = rarest(used, times, one.id)[0]
        tactic = hash_order(knowledge.objects(right.id, "achieves", "tactic"), one.id)[0]
        serving = [other for other in pool if tactic.id in goals[other.id] and other.id != right.id]
        near = [other for other in used if tactic.id not in goals[other.id]]
        because = f"Reports on {one.name} name {titled(right)}, which serves {tactic.name}"
        slots = {"name": one.name, "tactic": tactic.name}
        yield choice(knowledge, one, slots, right, serving, pool, relation="uses", because=because, near=near)


def _without_class(text: str) -> str:
    """`text` that calls malware and tools alike a program."""
    text = re.sub(r"\bis malware\b", "is a program", text)
    text = re.sub(r"\b(?:malware|tool|toolkit|utility)\b", "program", text, flags=re.IGNORECASE)
    return re.sub(r"\b(?:tools|utilities)\b", "programs", text, flags=re.IGNORECASE)


def _software(knowledge: Knowledge) -> list[Entity]:
    return list(knowledge.of_type("malware", "tool"))
