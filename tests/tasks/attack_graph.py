"""A small ATT&CK graph, written by hand: four of everything, three matrices, reports that name their actors."""

from stages.graph.schema import Split
from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge
from tests.tasks.small_graph import entity, link

PLACES = ("Windows", "Linux", "macOS", "Containers", "SaaS", "ESXi")
GOALS = ("Entry", "Staying", "Hiding", "Looting")
DEEDS = ("Window Prying", "Door Wedging", "Trace Sweeping", "Vault Emptying")
MEANS = (
    "lift the sash of an office browser with a bent wire until it opens by itself",
    "push a wedge below a service entrance so that it never closes again afterwards",
    "sweep every footprint from the journal before anybody reads it in the morning",
    "carry the contents of a database away in small bags through the chimney",
)
TEAMS = ("Grey Heron", "Red Otter", "Blue Marten", "APT77")
PROGRAMS = ("Crowbar", "Limpet", "Feather", "Suitcase")
RAIDS = ("Operation Thaw", "Harvest Raid", "Night Ferry", "APT77 Bakery")
RECORDS = ("Window Movement", "Door State", "Journal Change", "Bag Transfer")


def attack_tables() -> dict[str, list]:
    """Keyword arguments of `Knowledge`."""
    entities: list[Entity] = []
    links: list[Link] = []
    for place in range(4):
        made, joined = _corner(place)
        entities += made
        links += joined
    entities += [*_domain("mobile", 5, "phone with Android"), *_domain("ics", 8, "PLC of a plant")]
    links += [link(f"attack:T800{place}", "targets", f"attack:A000{place}") for place in range(4)]
    links += [link(f"attack:M500{place}", "mitigates", f"attack:T500{place}") for place in range(4)]
    links += [link("attack:S0000", "uses", "attack:T5000", "Crowbar has pried open the camera of a phone with Android at night.")]
    return {"entities": entities, "links": links, "splits": []}


def attack_knowledge(**heldout: bool) -> Knowledge:
    """The graph of `attack_tables`; keyword names are ids with `_` for `:` that are held out."""
    splits = [Split(entity_id=one.replace("_", ":"), split="heldout") for one in heldout]
    return Knowledge(**(attack_tables() | {"splits": splits}))


def _corner(place: int) -> tuple[list[Entity], list[Link]]:
    """A goal, two techniques and a kind of one that serve it, their defences, an actor with a program and a raid."""
    deed, means, team, program = DEEDS[place], MEANS[place], TEAMS[place], PROGRAMS[place]
    goal, technique, twin, kind = f"attack:TA000{place}", f"attack:T100{place}", f"attack:T110{place}", f"attack:T100{place}.001"
    group, software, raid = f"attack:G000{place}", f"attack:S000{place}", f"attack:C000{place}"
    record, strategy, measure = f"attack:DC000{place}", f"attack:DET000{place}", f"attack:M100{place}"
    where = [PLACES[place], PLACES[(place + 1) % 6]]
    analytic = {
        "id": f"AN000{place}",
        "platforms": [PLACES[place]],
        "log_sources": [
            {"name": "WinEventLog:Odd" if place % 2 else "NSM:Flow", "channel": f"id={place}", "component": RECORDS[place]}
        ],
    }
    entities = [
        entity(goal, "tactic", GOALS[place], f"The adversary is trying to reach {GOALS[place]}, that is, to {means}."),
        entity(technique, "technique", deed, f"Adversaries may {means}. They do so on purpose.", platforms=where),
        entity(twin, "technique", f"Quiet Number {place}", f"Adversaries may in silence {means}, too. Nobody hears it.", platforms=where),
        entity(kind, "technique", f"Special Case {place}", f"Adversaries may with a special tool {means}.", platforms=where),
        entity(group, "group", team, f"{team} is a gang known to {means}. Its home is town number {place}.", aliases=[f"Gang {place}"]),
        entity(software, "tool" if place % 2 else "malware", program, f"{program} is a tool that helps its users to {means}.", platforms=[PLACES[place]]),
        entity(raid, "campaign", RAIDS[place], f"{RAIDS[place]} was a campaign by APT77 whose members would {means}.", first_seen="2020-01-05", last_seen="2020-03-01"),
        entity(record, "data-component", RECORDS[place], f"A record that tells whether somebody managed to {means}. Data Collection Measures: buy a log.", log_sources=[{"name": "WinEventLog:Odd", "channel": f"id={place}"}]),
        entity(strategy, "detection-strategy", f"Strategy {place}", "Look closely.", analytics=[analytic]),
        entity(measure, "mitigation", f"Guarding of {GOALS[place]}", f"Keep anybody from trying to {means}. Hire a guard."),
    ]  # fmt: skip
    links = [
        *(link(one, "achieves", goal) for one in (technique, twin, kind)),
        link(kind, "subtechnique-of", technique),
        link(group, "uses", technique, f"{team} has managed to {means} in town {place}."),
        link(group, "uses", twin, f"{team} was quiet while it began to {means} last winter."),
        link(software, "uses", technique, f"{program} can {means} on demand."),
        link(f"attack:S000{(place + 1) % 4}", "uses", technique, f"{PROGRAMS[(place + 1) % 4]} is able to {means} as well."),
        *(link(f"attack:S000{(place + step) % 4}", "uses", twin, "") for step in range(2)),
        link(group, "uses", software),
        link(f"attack:G000{(place + 1) % 4}", "uses", software),
        link(f"attack:G000{(place + 1) % 4}", "uses", technique),
        link(raid, "uses", technique, f"During {RAIDS[place]}, the gang began to {means}."),
        link(raid, "uses", software),
        link(raid, "attributed-to", group),
        link(record, "detects", technique),
        link(strategy, "detects", technique),
        link(measure, "mitigates", technique),
    ]
    return entities, links


def _domain(domain: str, number: int, thing: str) -> list[Entity]:
    """Four techniques of another matrix, two of them namesakes of enterprise ones, with goals, safeguards and assets."""
    found = []
    for place in range(4):
        name = DEEDS[place] if place < 2 else f"{domain} Act {place}"
        text = f"Adversaries may take the {thing} and {MEANS[place]} without a word to its owner."
        fields = {"domain": domain, "platforms": ["Android"] if domain == "mobile" else [], "tactics": [f"goal-and-end-{place}"]}
        found.append(entity(f"attack:T{number}00{place}", "technique", name, text, **fields))
        found.append(
            entity(f"attack:M{number}00{place}", "mitigation", f"{domain} Shield {place}", "A shield of wood.", domain=domain)
        )
        if domain == "ics":
            found.append(
                entity(f"attack:A000{place}", "asset", f"Machine {place}", f"Machine number {place} of the plant.", domain="ics")
            )
    return found
