"""Reported procedures of ATT&CK: what an actor or a program did, judged, matched and followed to goal and platform."""

from collections import Counter
from collections.abc import Iterator, Sequence

from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import clip, listing, sentence
from stages.tables import content_id
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import RESERVE, hash_order, number, procedures, says_enough, titled

Drafts = Iterator[Draft | Skip]
OPTION_WORDS = 40  # of a procedure as an option: four of them stay readable
STEM = 6  # letters by which a report that speaks of a goal is noticed: `exfilt`
MOST_GROUPS = 6  # of like procedures, to choose from
Told = tuple[Link, str]


def procedure_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Procedure and a technique -> an example of it? The wrong technique shares words with the report, but no goal."""
    pool = [one for one in knowledge.techniques() if knowledge.split(one.id) != "heldout"]
    goals = {one.id: _goal_ids(knowledge, one.id) for one in pool}
    tactics = list(knowledge.of_type("tactic"))
    times: Counter[str] = Counter()
    for technique, (link, text) in _first_told(knowledge, params):
        may_fit = knowledge.family(technique.id) | {other.object for other in knowledge.links_from(link.subject, "uses")}
        own = _goal_ids(knowledge, technique.id)
        told = {goal.id for goal in tactics if goal.name[:STEM].casefold() in text.casefold()}
        open_ones = [one for one in pool if one.id not in may_fit and not goals[one.id] & (own | told)]
        near = [one for one in knowledge.closest_by_name(text, open_ones, RESERVE) if one.name.casefold() not in text.casefold()]
        if not near:
            yield Skip(technique.id, "few-distractors")
            continue
        wrong = min(near, key=lambda one: times[one.id])
        times[wrong.id] += 1
        yes = f"The report shows {titled(technique)}: {_goal(knowledge, technique)}."
        no = f"{yes} {wrong.name} would serve {_goals(knowledge, wrong)}."
        for verdict, named, answer in ((True, technique, yes), (False, wrong, no)):
            slots = {"text": text, "name": named.name}
            yield _judged(knowledge, technique, slots, verdict, answer, [link.subject, named.id])


def procedure_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Technique -> the one of four reported procedures that shows it: reading reports for one behaviour."""
    told = {technique.id: (technique, link, short) for technique, link, short in _short_told(knowledge, params)}
    texts = {short: one for one, (_, _, short) in sorted(told.items())}
    goals = {one: _goal_ids(knowledge, one) for one in told}
    for one, (technique, link, short) in told.items():
        kin = knowledge.family(one)
        near = [text for text, other in texts.items() if other in kin or goals[other] & goals[one]]
        far = [text for text, other in texts.items() if other not in kin and not goals[other] & goals[one]]
        reserve = sorted(far, key=lambda text: content_id(one, text))[:RESERVE]
        user = knowledge.entities[link.subject]
        barred = frozenset(text.casefold() for text in near if text != short)
        yield Draft(
            subject=one,
            slots={"name": technique.name, "id": number(one)},
            answer=f"It reports a use of {titled(technique)} by {user.name}; {_goal(knowledge, technique)}.",
            options=[short],
            ask=Ask(key=one, right=short, barred=barred, reserve=reserve),
            ids=texts,
            quoted=[link.subject],
        )


def procedure_odd_one_out(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Four procedures, three of one unnamed technique -> the fourth. Leave-one-out: what is common has to be found first."""
    groups: dict[str, list[str]] = {}
    owners: dict[str, Entity] = {}
    for technique, _, short in _short_told(knowledge, params, every=True):
        owners[technique.id] = technique
        groups.setdefault(technique.id, []).append(short)
    full = [one for one, texts in groups.items() if len(set(texts)) >= 3 and knowledge.split(one) != "heldout"]
    for one, technique in owners.items():
        foreign = [other for other in full if _apart(knowledge, one, other)]
        if not foreign:
            yield Skip(one, "few-distractors")
            continue
        for other in sorted(foreign, key=lambda other: content_id("odd", one, other))[:MOST_GROUPS]:
            members = list(dict.fromkeys(groups[other]))[:3]
            common = owners[other]
            answer = (
                f"The others report {titled(common)}; {_goal(knowledge, common)}. "
                f"This one reports {titled(technique)}; {_goal(knowledge, technique)}."
            )
            yield Draft(subject=one, slots={}, answer=answer, options=[groups[one][0], *members], entities=[other])


def procedure_tactic_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Procedure and a tactic -> does the act serve it? Judged over the technique, step by step."""
    goals = {one.id: knowledge.objects(one.id, "achieves", "tactic") for one in knowledge.techniques()}
    others = [one for _, every in sorted(goals.items()) for one in every]  # as often as each is right
    for technique, (link, text) in _first_told(knowledge, params):
        own = goals[technique.id]
        wrong = _borrowed(others, own, technique.id)
        if not own or wrong is None:
            yield Skip(technique.id, "no-link")
            continue
        right = hash_order(own, technique.id)[0]
        names = listing([titled(one) for one in own])
        for verdict, named in ((True, right), (False, wrong)):
            end = (
                f"{named.name} is {'one of its goals' if len(own) > 1 else 'its goal'}"
                if verdict
                else f"{named.name} is no goal of it"
            )
            steps = [f"The behaviour that is described is {titled(technique)}.", f"That technique serves {names}.", sentence(end)]
            slots = {"text": text, "tactic": named.name}
            yield _judged(knowledge, technique, slots, verdict, _chain(steps), [link.subject, named.id])


def procedure_platform_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Procedure and a platform -> can the technique behind it be used there? Scope of a threat, judged step by step."""
    known = _platforms(knowledge)
    credit: Counter[str] = Counter()  # yes less no: the platform that is behind is asked for
    for technique, (link, text) in _first_told(knowledge, params):
        own = _own_platforms(technique)
        foreign = [one for one in known if one not in own]
        if not own or not foreign:
            yield Skip(technique.id, "no-field")
            continue
        right = min(own, key=lambda one: (credit[one], content_id(technique.id, one)))
        wrong = max(foreign, key=lambda one: (credit[one], content_id(technique.id, one)))
        credit.update([right])
        credit.subtract([wrong])
        for verdict, named in ((True, right), (False, wrong)):
            end = f"{named} is among them" if verdict else f"{named} is not among them"
            steps = [
                f"The behaviour that is described is {titled(technique)}.",
                f"That technique is documented for {listing(own)}.",
                f"{end}.",  # a name such as macOS keeps its letters
            ]
            yield _judged(knowledge, technique, {"text": text, "platform": named}, verdict, _chain(steps), [link.subject])


def procedure_platform_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Procedure -> technique -> tactic -> the platform of four that the technique is documented for: the whole chain."""
    known, times = _platforms(knowledge), Counter[str]()
    for technique, (link, text) in _first_told(knowledge, params):
        own = _own_platforms(technique)
        goals = [titled(one) for one in knowledge.objects(technique.id, "achieves", "tactic")]
        foreign = [one for one in known if one not in own]
        if not own or not goals or len(foreign) < 3:
            yield Skip(technique.id, "few-distractors")
            continue
        unnamed = [one for one in own if one.casefold() not in text.casefold()]
        if not unnamed:
            yield Skip(technique.id, "names-the-answer")
            continue
        right = min(unnamed, key=lambda one: (times[one], content_id(technique.id, one)))
        times[right] += 1
        steps = [
            f"The behaviour that is described is {titled(technique)}.",
            f"It serves {listing(goals)}.",
            f"It is documented for {listing(own)}.",
            f"Of the platforms that are offered, only {right} is among these.",
        ]
        barred = frozenset(one.casefold() for one in own if one != right)
        yield Draft(
            subject=technique.id,
            slots={"text": text},
            answer=_chain(steps),
            options=[right],
            ask=Ask(key=technique.id, right=right, barred=barred, reserve=foreign),
            quoted=[link.subject],
        )


def _first_told(knowledge: Knowledge, params: TasksParams) -> Iterator[tuple[Entity, Told]]:
    """Each technique with one of its procedures."""
    for technique in knowledge.techniques():
        for told in procedures(knowledge, technique, params)[:1]:
            yield technique, told


def _short_told(knowledge: Knowledge, params: TasksParams, *, every: bool = False) -> Iterator[tuple[Entity, Link, str]]:
    """Each technique with the first, or every, procedure that is short enough for an option and names no technique."""
    for technique in knowledge.techniques():
        shown = 0
        for link, text in procedures(knowledge, technique, params):
            short = clip(text, OPTION_WORDS)
            if says_enough(short) and (every or not shown):
                shown += 1
                yield technique, link, short


def _apart(knowledge: Knowledge, one: str, other: str) -> bool:
    return other not in knowledge.family(one) and not _goal_ids(knowledge, one) & _goal_ids(knowledge, other)


def _goal_ids(knowledge: Knowledge, technique: str) -> set[str]:
    return {link.object for link in knowledge.links_from(technique, "achieves", "tactic")}


def _goals(knowledge: Knowledge, technique: Entity) -> str:
    return listing([one.name for one in knowledge.objects(technique.id, "achieves", "tactic")] or ["another goal"])


def _goal(knowledge: Knowledge, technique: Entity) -> str:
    return f"it serves {_goals(knowledge, technique)}"


def _own_platforms(technique: Entity) -> list[str]:
    return sorted({*(technique.fields.get("platforms") or [])} - {"PRE"})


def _platforms(knowledge: Knowledge) -> list[str]:
    return sorted({platform for technique in knowledge.techniques() for platform in _own_platforms(technique)})


def _borrowed(values: Sequence[Entity], own: Sequence[Entity], salt: str) -> Entity | None:
    """A value of another owner, so that each is wrong about as often as it is right."""
    barred = {one.id for one in own}
    start = int(content_id("borrowed", salt), 16) % max(1, len(values))
    return next((one for one in [*values[start:], *values[:start]] if one.id not in barred), None)


def _judged(knowledge: Knowledge, subject: Entity, slots: dict[str, str], verdict: bool, answer: str, used: list[str]) -> Draft:
    """A statement about `subject`; the first of `used` is the actor that is quoted."""
    entities = [one for one in used[1:] if one != subject.id]
    return Draft(subject=subject.id, slots=slots, answer=answer, verdict=verdict, entities=entities, quoted=used[:1])


def _chain(steps: list[str]) -> str:
    return "\n".join(f"{place}. {step}" for place, step in enumerate(steps, start=1))
