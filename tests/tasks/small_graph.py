"""A small knowledge graph, written by hand, with hostile texts and held-out members of every kind."""

from stages.graph.schema import HardNegative, Path, Split
from stages.ingest.schema import Entity, Link
from stages.knowledge import Knowledge

HOSTILE = "The {name} field takes {0} and {text} unchecked; {{braces}} and %s stay as they are. It ignores all other input."
HELDOUT_MARK = "zebra-striped secret passage"
TACTICS = ("Initial Access", "Persistence", "Exfiltration")
WORDS = (
    "archive", "browser", "cable", "daemon", "engine", "firmware", "gateway", "handler", "import", "journal", "kernel", "ledger",
    "macro", "notary", "object", "parser", "queue", "router", "socket", "token", "upload", "vector", "widget", "xlib",
)  # fmt: skip


def entity(id: str, type: str, name: str, text: str = "", **fields: object) -> Entity:
    return Entity(
        id=id, type=type, name=name, text=text, fields=fields, source="test", version="1", uri=f"https://example.org/{id}", licence="CC0-1.0"
    )  # fmt: skip


def link(subject: str, relation: str, object: str, text: str = "") -> Link:
    return Link(subject=subject, relation=relation, object=object, text=text, source="test", licence="CC0-1.0")


def small_tables() -> dict[str, list]:
    """Keyword arguments of `Knowledge`: 24 techniques, weaknesses, vulnerabilities and rules, a third held out or dev."""
    entities = [entity(f"attack:TA000{place}", "tactic", name) for place, name in enumerate(TACTICS, start=1)]
    links: list[Link] = []
    splits: list[Split] = []
    for place, word in enumerate(WORDS):
        part = "heldout" if place % 6 == 5 else "dev" if place % 6 == 4 else "train"
        mark = HELDOUT_MARK if part == "heldout" else "ordinary passage"
        made, joined = _corner(place, word, mark)
        entities += made
        links += joined
        splits += [
            Split(entity_id=one.id, split=part) for one in made if one.type not in ("mitigation", "data-component", "group")
        ]
    negatives = [
        HardNegative(
            subject=f"cve:CVE-2020-100{place:02}",
            relation="instance-of",
            object=f"cwe:CWE-{200 + (place + 1) % 24}",
            similarity=0.9,
        )
        for place in range(24)
    ]
    return {"entities": entities, "links": links, "splits": splits, "negatives": negatives, "paths": small_paths()}


def small_paths() -> list[Path]:
    """For every word a short path over the technique and a long one down to the vulnerability."""
    short = [
        Path(
            id=f"short{place}",
            nodes=[f"attack:G00{place:02}", f"attack:T10{place:02}", f"attack:TA000{place % 3 + 1}"],
            relations=["uses", "achieves"],
        )
        for place in range(24)
    ]
    long = [
        Path(
            id=f"long{place}",
            nodes=[
                f"attack:T10{place:02}",
                f"capec:CAPEC-{300 + place}",
                f"cwe:CWE-{200 + place}",
                f"cve:CVE-2020-100{place:02}",
            ],
            relations=["corresponds-to", "exploits", "^instance-of"],
        )
        for place in range(24)
    ]
    return short + long


def small_knowledge() -> Knowledge:
    """The graph of `small_tables`."""
    return Knowledge(**small_tables())


def _corner(place: int, word: str, mark: str) -> tuple[list[Entity], list[Link]]:
    """What is known about one word: a technique, its defences, a weakness with a pattern, a vulnerability, a rule, a check."""
    technique, weakness, cve = f"attack:T10{place:02}", f"cwe:CWE-{200 + place}", f"cve:CVE-2020-100{place:02}"
    pattern, rule, group = f"capec:CAPEC-{300 + place}", f"sigma:rule-{place:02}", f"attack:G00{place:02}"
    mitigation, component, measure = f"attack:M10{place:02}", f"attack:DC00{place:02}", f"d3fend:D3-{word[:3].upper()}"
    control, check = f"nist:AC-{place + 1}", f"check:aws/{word}"
    section = {
        "consequences": [{"scopes": ["Integrity"], "impacts": ["Modify Data"], "note": f"An attacker can change what the {word} keeps for every other user of it, {mark}."}],
        "mitigations": [{"phases": ["Implementation"], "description": f"Check every {word} before it is used."}],
        "detection_methods": [{"method": "Manual Analysis", "description": f"Read the code around the {word}."}],
    }  # fmt: skip
    entities = [
        entity(technique, "technique", f"Abuse of {word}", f"Adversaries may turn the {word} against its owner, {mark}. {HOSTILE}", platforms=["Linux", "Windows", "macOS"] if place % 2 else ["ESXi"]),
        entity(f"{technique}.001", "technique", f"Silent {word}", f"Adversaries may silence the {word} first, {mark}."),
        entity(mitigation, "mitigation", f"Guard the {word}", f"Put a guard beside the {word}."),
        entity(component, "data-component", f"Log of {word}"),
        entity(group, "group", f"Team {word}"),
        entity(measure, "defensive-technique", f"Watch of {word}", f"A watch over each {word} in use, {mark}."),
        entity(weakness, "weakness", f"Careless {word}", f"The product trusts its {word}, {mark}. {HOSTILE}", **section),
        entity(pattern, "attack-pattern", f"Trick with {word}", f"An adversary tricks the {word}, {mark}.", prerequisites=f"There is a {word}.", mitigations=f"Remove the {word}."),
        entity(cve, "vulnerability", cve.removeprefix("cve:"), f"A {word} of CWE-{200 + place} is trusted by the shop, {mark}. {HOSTILE}"),
        entity(rule, "sigma-rule", f"Odd {word} seen", f"Detects an odd {word} on a host, {mark}.", category=f"{word}_event", product="windows", level="high", falsepositives=[f"Backup of the {word}"]),
        entity(control, "control", f"Rule of {word}", f"The organisation keeps a record of each {word}, {mark}."),
        entity(check, "cloud-check", f"The {word} is private", f"The {word} is tested for public access, {mark}.", risk=f"Anyone reads the {word}.", remediation=f"Make the {word} private."),
    ]  # fmt: skip
    links = [
        link(technique, "achieves", f"attack:TA000{place % 3 + 1}"),
        link(f"{technique}.001", "achieves", f"attack:TA000{place % 3 + 1}"),
        link(f"{technique}.001", "subtechnique-of", technique),
        link(mitigation, "mitigates", technique, f"A guard beside the {word} sees misuse early and stops it there, {mark}."),
        link(f"attack:M10{(place + 1) % 24:02}", "mitigates", technique, f"A second guard, borrowed from a neighbour, helps the {word} as well, {mark}."),
        link(component, "detects", technique),
        link(group, "uses", technique, f"Team {word} has turned the office {word} against its owner for weeks, {mark}."),
        link(f"attack:G00{(place + 1) % 24:02}", "uses", technique, f"The next team used the {word} for its own ends last spring, {mark}."),
        link(measure, "counters", technique),
        link(rule, "detects", technique),
        link(technique, "corresponds-to", pattern),
        link(pattern, "exploits", weakness),
        link(cve, "instance-of", weakness),
        link(f"cve:CVE-2020-100{(place + 12) % 24:02}", "instance-of", weakness) if place < 3 else link(cve, "related-to", weakness),
        link(weakness, "child-of", f"cwe:CWE-{200 + place % 4}") if place > 3 else link(weakness, "related-to", pattern),
        link(check, "satisfies", control),
        link(check, "covers", technique),
    ]  # fmt: skip
    return entities, links
