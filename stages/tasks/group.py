"""Groups of ATT&CK: who they are, and whose behaviour a set of observations fits."""

from collections import Counter
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import RESERVE, number, rarest, titled
from stages.tasks.recognition import choose_name, confirm_name, describe_with, ordinary_words, shown_text

Drafts = Iterator[Draft | Skip]
MOST_ALIASES, MOST_SOFTWARE = 6, 5
OBSERVED = 4  # observations by which a group is to be told


def group_description(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> who the group is, its other names and its software: joins reports that call one actor differently."""
    facts: dict[str, list[str]] = {}
    pool = list(knowledge.of_type("group"))
    for one in pool:
        aliases = [name for name in one.fields.get("aliases") or [] if name != one.name][:MOST_ALIASES]
        software = [other.name for other in knowledge.objects(one.id, "uses", "malware", "tool")][:MOST_SOFTWARE]
        facts[one.id] = [sentence(f"Other names: {listing(aliases)}")] if aliases else []
        facts[one.id] += [sentence(f"Software reported for it includes {listing(software)}")] if software else []
    return describe_with(knowledge, params, pool, facts)


def group_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Profile -> group id and aliases: attribution by origin, victims and period, no technique named."""
    pool = list(knowledge.of_type("group"))
    ordinary = ordinary_words(pool)
    for one in pool:
        text = shown_text(knowledge, one, params, ordinary)
        if not text:
            yield Skip(one.id, "no-text")
            continue
        aliases = [name for name in one.fields.get("aliases") or [] if name != one.name][:3]
        answer = f"Group: {one.name}" + (f", also known as {listing(aliases)}" if aliases else "")
        yield Draft(subject=one.id, slots={"text": text}, answer=answer, key=[number(one.id)])


def group_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Profile -> one of four groups of near profiles (same country, same sectors)."""
    pool = list(knowledge.of_type("group"))
    return choose_name(knowledge, params, pool, "group", ordinary_words(pool))


def group_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Profile and a name -> is it that group? A wrong attribution is answered with what the named group is."""
    pool = list(knowledge.of_type("group"))
    return confirm_name(knowledge, params, pool, "group", ordinary_words(pool))


def group_evidence_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Observed techniques and software -> the group of four known for all of them. Attribution as intersection of sets."""
    groups = list(knowledge.of_type("group"))
    used = {one.id: {other.id for other in knowledge.objects(one.id, "uses", "technique", "malware", "tool")} for one in groups}
    times = Counter(one for every in used.values() for one in every)
    for group in groups:
        seen = [one for one in rarest(_known(knowledge, used[group.id]), times, group.id) if group.name not in one.name]
        shown = [one for one in seen if times[one.id] > 1][:OBSERVED]
        if len(shown) < OBSERVED:
            yield Skip(group.id, "no-link")
            continue
        yield _attribution(group, groups, used, shown)


def _known(knowledge: Knowledge, ids: set[str]) -> list[Entity]:
    return [knowledge.entities[one] for one in sorted(ids)]


def _attribution(group: Entity, groups: list[Entity], used: dict[str, set[str]], shown: list[Entity]) -> Draft:
    """Wrong are groups known for some of the observations; a group known for all of them is no option."""
    wanted = {one.id for one in shown}
    overlap = {one.id: len(wanted & used[one.id]) for one in groups if one.id != group.id}
    fitting = [one.name for one in groups if overlap.get(one.id) == OBSERVED]
    ranked = [
        one.name
        for one in sorted(groups, key=lambda one: (-overlap.get(one.id, 0), one.id))
        if 0 < overlap.get(one.id, 0) < OBSERVED
    ]
    names = listing([titled(one) for one in shown])
    ask = Ask(
        key=group.id,
        right=group.name,
        barred=frozenset(name.casefold() for name in fitting),
        hard=ranked[:RESERVE],
        reserve=ranked[:RESERVE],
    )
    return Draft(
        subject=group.id,
        slots={"observed": names},
        answer=f"Each of these is reported for {group.name}: {names}. No other group among the options is known for all of them.",
        options=[group.name],
        ask=ask,
        ids={one.name: one.id for one in groups},
        entities=sorted(wanted),
    )
