"""The mobile and the ICS matrix of ATT&CK: their own techniques, goals, assets and safeguards."""

import re
from collections.abc import Iterator

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.options import Ask
from stages.prose import listing, sentence
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import RESERVE, choice, hash_order, number, procedures, rarest, short_text, times_linked, titled
from stages.tasks.recognition import nearest, of_domain

Drafts = Iterator[Draft | Skip]
DOMAINS = {"enterprise": "enterprise IT", "mobile": "mobile devices", "ics": "industrial control systems"}
OWN = ("mobile", "ics")
MOST_ASSETS = 6  # what can hit nearly every part of a plant tells none of them apart
CUES = {  # words that show the environment: several texts of a mobile technique repeat those of its namesake
    "mobile": re.compile(
        r"\b(?:mobile|phones?|smartphones?|android|ios|sms|sim|imei|app store|google play|cellular|tap|tapjacking)\b", re.I
    ),
    "ics": re.compile(
        r"\b(?:control systems?|ics|plcs?|rtus?|hmis?|scada|controllers?|outstations?|field devices?|industrial|safety|setpoints?|"
        r"fieldbus|operators?|physical process\w*|engineering workstations?|control logic|programmable|alarms?)\b",
        re.I,
    ),
}


def domain_verdict(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Behaviour and a matrix -> does it belong there? The environment is told by what is attacked, not by a name."""
    pool = _matched(knowledge)
    present = sorted({_domain(one) for one in pool})
    namesakes = {(_domain(one), _bare(one)) for one in knowledge.of_type("technique")}
    for technique in pool:
        text = short_text(knowledge, technique, params)
        own, foreign = _domain(technique), [one for one in present if one != _domain(technique)]
        if not text or not foreign or not _tells(text, own):
            yield Skip(technique.id, "ambiguous-key" if text and foreign else "no-text")
            continue
        strange = [one for one in foreign if (one, _bare(technique)) not in namesakes]  # a namesake there may read alike
        if not strange:
            yield Skip(technique.id, "ambiguous-key")
            continue
        wrong = sorted(strange, key=lambda one: (own != "enterprise" and one != "enterprise", one))[0]
        platforms = _platforms(technique)
        where = f", documented for {listing(platforms)}" if platforms else ""
        told = f"The text describes {titled(technique)} of the ATT&CK matrix for {DOMAINS[own]}{where}."
        for verdict, named in ((True, own), (False, wrong)):
            slots = {"text": text, "matrix": DOMAINS[named]}
            yield Draft(subject=technique.id, slots=slots, answer=told, verdict=verdict)


def _bare(technique: Entity) -> str:
    """The name without that of a parent."""
    return technique.name.rpartition(": ")[2].casefold()


def domain_technique_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Behaviour -> one of four techniques of different matrices, namesakes among them: name and environment both count."""
    pool = _matched(knowledge)
    near = nearest(pool)
    for technique in pool:
        text = short_text(knowledge, technique, params)
        if not text or not _tells(text, _domain(technique)):
            yield Skip(technique.id, "ambiguous-key" if text else "no-text")
            continue
        kin = [knowledge.entities[one] for one in sorted(knowledge.family(technique.id))]
        twins = [one for one in pool if one.name == technique.name and one not in kin]
        abroad = [one for one in near[technique.id] if _domain(one) != _domain(technique)]
        hard = [_labelled(one) for one in [*twins, *abroad, *near[technique.id]] if one not in kin]
        yield Draft(
            subject=technique.id,
            slots={"text": text},
            answer=f"The text describes {titled(technique)}, and what is attacked belongs to {DOMAINS[_domain(technique)]}.",
            options=[_labelled(technique)],
            ask=Ask(
                key=technique.id,
                right=_labelled(technique),
                barred=frozenset(_labelled(one).casefold() for one in kin if one.id != technique.id),
                hard=list(dict.fromkeys(hard)),
                reserve=hard[:RESERVE],
            ),
            ids={_labelled(one): one.id for one in pool},
        )


def domain_tactic_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Mobile or ICS technique -> the goal of four that its own matrix gives it; matrices share names and differ in contents."""
    pool = _techniques(knowledge)
    for technique in pool:
        text, goals = short_text(knowledge, technique, params), _tactic_names(knowledge, technique)
        rest = sorted({name for one in pool if _domain(one) == _domain(technique) for name in _tactic_names(knowledge, one)})
        if not text or not goals or len(rest) - len(goals) < 3:
            yield Skip(technique.id, "few-distractors" if goals and text else "no-text")
            continue
        if any(name.casefold() in text.casefold() for name in goals):
            yield Skip(technique.id, "names-the-answer")
            continue
        right = sorted(goals, key=lambda name: (sum(name in _tactic_names(knowledge, one) for one in pool), name))[0]
        barred = frozenset(name.casefold() for name in goals if name != right)
        matrix = DOMAINS[_domain(technique)]
        yield Draft(
            subject=technique.id,
            slots={"text": text, "matrix": matrix},
            answer=f"The text describes {titled(technique)}; in the matrix for {matrix} it serves {listing(goals)}.",
            options=[right],
            ask=Ask(key=technique.id, right=right, barred=barred, reserve=rest, group=_domain(technique)),
        )


def domain_procedure_path(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """What a program did on a phone or a controller -> its technique there, over matrix, platform and goal."""
    for technique in _techniques(knowledge):
        told = procedures(knowledge, technique, params)
        if not told:
            yield Skip(technique.id, "no-text")
        for link, text in told:
            user = knowledge.entities[link.subject]
            platforms, goals = _platforms(technique), _tactic_names(knowledge, technique)
            where = f" ({listing(platforms)})" if platforms else ""
            steps = [f"The report on {user.name} is about {DOMAINS[_domain(technique)]}{where}"]
            steps += [f"The act serves {listing(goals)} there"] if goals else []
            steps += [f"The technique of that matrix is {technique.name}"]
            answer = "\n".join(f"{place}. {sentence(step)}" for place, step in enumerate(steps, start=1))
            slots = {"text": text, "matrix": DOMAINS[_domain(technique)]}
            yield Draft(subject=technique.id, slots=slots, answer=answer, key=[number(technique.id)], quoted=[link.subject])


def domain_mitigation_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Mobile or ICS technique -> the safeguard of four for devices that cannot be treated like servers."""
    for domain in OWN:
        pool = of_domain(knowledge.of_type("mitigation"), domain)
        times = times_linked(knowledge, "^mitigates", pool, "technique")
        for technique in of_domain(knowledge.of_type("technique"), domain):
            linked = rarest(knowledge.subjects(technique.id, "mitigates", "mitigation"), times, technique.id)
            text = short_text(knowledge, technique, params)
            if not linked or not text:
                yield Skip(technique.id, "no-text" if linked else "no-link")
                continue
            because = f"{titled(linked[0])} is listed against {titled(technique)}"
            slots = {"text": text, "matrix": DOMAINS[domain]}
            yield choice(
                knowledge, technique, slots, linked[0], linked[1:], pool, relation="^mitigates", because=because, group=domain
            )


def asset_choice(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """ICS technique -> the asset of four that it targets: which part of a plant an act can reach."""
    pool = list(knowledge.of_type("asset"))
    times = times_linked(knowledge, "targets", pool, "technique")
    for technique in of_domain(knowledge.of_type("technique"), "ics"):
        linked = rarest(knowledge.objects(technique.id, "targets", "asset"), times, technique.id)
        text = short_text(knowledge, technique, params)
        if not linked or not text:
            yield Skip(technique.id, "no-text" if linked else "no-link")
            continue
        if len(linked) > MOST_ASSETS:
            yield Skip(technique.id, "ambiguous-key")
            continue
        because = f"{titled(technique)} targets {listing([one.name for one in hash_order(linked, technique.id)])}"
        slots = {"text": text}
        yield choice(knowledge, technique, slots, linked[0], linked[1:], pool, relation="targets", because=because)


def _techniques(knowledge: Knowledge) -> list[Entity]:
    return of_domain(knowledge.of_type("technique"), *OWN)


def _matched(knowledge: Knowledge) -> list[Entity]:
    """Techniques of the two matrices, each with the nearest free one of the enterprise matrix: as many of either kind."""
    own, rest = _techniques(knowledge), list(knowledge.techniques())
    taken: dict[str, Entity] = {}
    for technique in own:
        free = [one for one in rest if one.id not in taken and knowledge.split(one.id) != "heldout"]
        for one in knowledge.closest_by_name(f"{technique.name} {technique.text}", free, 1):
            taken[one.id] = one
    return [*own, *(taken[one] for one in sorted(taken))]


def _domain(technique: Entity) -> str:
    return str(technique.fields.get("domain") or "enterprise")


def _platforms(technique: Entity) -> list[str]:
    """Platforms that the record names; the ICS matrix often writes `None`."""
    return sorted({str(one) for one in technique.fields.get("platforms") or []} - {"None", "PRE"})


def _tells(text: str, domain: str) -> bool:
    """Whether a text shows its environment and no other one."""
    return all(bool(cue.search(text)) == (name == domain) for name, cue in CUES.items())


def _labelled(technique: Entity) -> str:
    """Name and matrix: `Phishing (mobile devices)`."""
    return f"{technique.name} ({DOMAINS[_domain(technique)]})"


def _tactic_names(knowledge: Knowledge, technique: Entity) -> list[str]:
    """Names of the linked tactics, or of the ones that the technique's record lists."""
    linked = [one.name for one in knowledge.objects(technique.id, "achieves", "tactic")]
    return linked or [_spelt(str(one)) for one in technique.fields.get("tactics") or []]


def _spelt(shortname: str) -> str:
    """`command-and-control` -> `Command and Control`."""
    return " ".join(word if word in ("and", "of") else word.capitalize() for word in shortname.split("-"))
