"""Campaigns of ATT&CK: what happened, with which software, and who was behind it."""

from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import choice, hash_order, number, rarest, times_linked, titled
from stages.tasks.recognition import choose_name, confirm_name, nearest, ordinary_words, shown_text

Drafts = Iterator[Draft | Skip]
MOST_NAMED = 5


def campaign_profile(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Name -> period, attribution, software and techniques: a report's key facts, joined from four relations."""
    for campaign in knowledge.of_type("campaign"):
        lines = [knowledge.text(campaign.id), *_facts(knowledge, campaign)]
        told = [line for line in lines if line]
        if len(told) < 2:
            yield Skip(campaign.id, "no-text")
            continue
        slots = {"name": campaign.name, "id": number(campaign.id)}
        yield Draft(subject=campaign.id, slots=slots, answer="\n".join(told))


def campaign_identification(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Report -> campaign id: a single operation, told by time, target and means from others of the same actor."""
    pool = list(knowledge.of_type("campaign"))
    ordinary = ordinary_words(pool)
    for campaign in pool:
        text = shown_text(knowledge, campaign, params, ordinary)
        if not text:
            yield Skip(campaign.id, "no-text")
            continue
        answer = f"Campaign: {campaign.name}. {_period(campaign, 'It')}".strip()
        yield Draft(subject=campaign.id, slots={"text": text}, answer=answer, key=[number(campaign.id)])


def campaign_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Report -> one of four campaigns with near reports."""
    pool = list(knowledge.of_type("campaign"))
    return choose_name(knowledge, params, pool, "campaign", ordinary_words(pool))


def campaign_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Report and a name -> is it that campaign?"""
    pool = list(knowledge.of_type("campaign"))
    return confirm_name(knowledge, params, pool, "campaign", ordinary_words(pool))


def campaign_software_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Campaign with its techniques -> the software of four that it used. Correlation: both do the same things."""
    pool = list(knowledge.of_type("malware", "tool"))
    times = times_linked(knowledge, "uses", pool, "campaign")
    for campaign in knowledge.of_type("campaign"):
        used = rarest(knowledge.objects(campaign.id, "uses", "malware", "tool"), times, campaign.id)
        done = knowledge.objects(campaign.id, "uses", "technique")
        fitting = [one for one in used if _shared(knowledge, one, done) and not _alike(one, campaign)]
        if not fitting:
            yield Skip(campaign.id, "no-link")
            continue
        shared = _shared(knowledge, fitting[0], done)
        shown = listing([one.name for one in hash_order(shared, campaign.id)[:MOST_NAMED]])
        because = f"Reports on {titled(campaign)} name {titled(fitting[0])}; both are known for {shown}"
        slots = {"name": campaign.name, "period": _period(campaign, "It"), "techniques": shown}
        others = [one for one in used if one.id != fitting[0].id]
        yield choice(knowledge, campaign, slots, fitting[0], others, pool, relation="uses", because=because)


def campaign_attribution(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What was seen in an unnamed campaign -> the group behind it. Evidence weighed: what campaign and group share."""
    groups = list(knowledge.of_type("group"))
    near = nearest(groups)
    for campaign in knowledge.of_type("campaign"):
        behind = knowledge.objects(campaign.id, "attributed-to", "group")
        if len(behind) != 1:
            yield Skip(campaign.id, "ambiguous-key" if behind else "no-link")
            continue
        seen = knowledge.objects(campaign.id, "uses", "malware", "tool", "technique")
        known = {one.id for one in knowledge.objects(behind[0].id, "uses")}
        shared = [one for one in seen if one.id in known]
        if len(shared) < 2:
            yield Skip(campaign.id, "no-link")
            continue
        software = [one.name for one in seen if one.type != "technique" and not _alike(one, behind[0])][:MOST_NAMED]
        methods = [titled(one) for one in hash_order([one for one in shared if one.type == "technique"], campaign.id)]
        observed = listing([*software, *methods[:MOST_NAMED]])
        tools = [one.name for one in shared if one.name in software]
        common = listing([*tools, *methods[:MOST_NAMED]] or [titled(one) for one in shared[:MOST_NAMED]])
        because = f"The campaign is {campaign.name}, attributed to {titled(behind[0])}, which is also known for {common}"
        slots = {"period": _period(campaign, "It"), "observed": observed}
        yield choice(
            knowledge, campaign, slots, behind[0], [], groups, relation="attributed-to", because=because, near=near[behind[0].id]
        )


def _facts(knowledge: Knowledge, campaign: Entity) -> list[str]:
    """Period, attribution, software and techniques, one sentence each."""
    behind = [titled(one) for one in knowledge.objects(campaign.id, "attributed-to", "group")]
    software = [one.name for one in knowledge.objects(campaign.id, "uses", "malware", "tool")]
    methods = [titled(one) for one in hash_order(knowledge.objects(campaign.id, "uses", "technique"), campaign.id)]
    found = [_period(campaign, campaign.name)]
    found += [sentence(f"It is attributed to {listing(behind)}")] if behind else []
    found += [sentence(f"Software seen in it: {listing(software[:MOST_NAMED])}")] if software else []
    found += [sentence(f"Techniques seen in it include {listing(methods[:MOST_NAMED])}")] if methods else []
    return [line for line in found if line]


def _period(campaign: Entity, name: str) -> str:
    """`It was active from 2019-01 to 2019-04.`; empty if the source dates nothing."""
    first, last = (str(campaign.fields.get(name) or "")[:7] for name in ("first_seen", "last_seen"))
    if not first or not last:
        return ""
    return f"{name} was active in {first}." if first == last else f"{name} was active from {first} to {last}."


def _shared(knowledge: Knowledge, software: Entity, done: list[Entity]) -> list[Entity]:
    """Techniques of `done` that the software is known for, too."""
    known = {one.id for one in knowledge.objects(software.id, "uses", "technique")}
    return [one for one in done if one.id in known]


def _alike(one: Entity, other: Entity) -> bool:
    """Whether a name stands within another one."""
    return one.name.casefold() in other.name.casefold() or other.name.casefold() in one.name.casefold()
