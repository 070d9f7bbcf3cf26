"""Vulnerabilities that are exploited: what to mend first, by when, and which weaknesses attackers use.

The order of urgency is CISA's: known exploitation by ransomware, known exploitation, public proof of concept, none
(SSVC `exploitation`); equals are ordered by the exploit prediction score, then by CVSS. A question is asked only where
the difference is clear.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from stages.ingest.schema import Entity
from stages.knowledge import Knowledge
from stages.prose import listing, sentence
from stages.tables import content_id
from stages.tasks.cve import vulnerability_text
from stages.tasks.draft import Draft, Skip
from stages.tasks.params import TasksParams
from stages.tasks.questions import hash_order, number, titled

Drafts = Iterator[Draft | Skip]
CLEAR_EPSS = 0.1  # a smaller difference of predictions is within their drift from week to week
CLEAR_CVSS = 1.0  # scorers of one vulnerability differ by about this much
TRIES = 40  # candidates of each tier looked at for the three less urgent options
STRIDE = 7919  # a prime: no two tries meet the same candidate
OTHERS_PER_KNOWN = 1  # subjects outside the catalogue for each inside: the flag alone must not tell the answer
STORY_WORDS = 60
LEAST_CASES = 2
TIERS = (
    "no exploitation is known",
    "a proof of concept is public",
    "it is exploited in the wild",
    "it is exploited in ransomware campaigns",
)


class Urgency(msgspec.Struct, frozen=True):
    """What decides the order of work."""

    tier: int  # place in TIERS
    epss: float | None
    cvss: float | None

    def clearly_before(self, other: "Urgency") -> bool:
        """Whether this one is to be mended first beyond doubt."""
        if self.tier != other.tier:
            return self.tier > other.tier
        if self.epss is not None and other.epss is not None and abs(self.epss - other.epss) >= CLEAR_EPSS:
            return self.epss > other.epss
        both = self.cvss is not None and other.cvss is not None and self.epss is None and other.epss is None
        return both and self.cvss - other.cvss >= CLEAR_CVSS

    def scores_below(self, other: "Urgency") -> bool:
        """Whether the other one has the higher CVSS score, which is the trap where it is less urgent."""
        return self.cvss is not None and other.cvss is not None and self.cvss < other.cvss


Rated = tuple[Entity, Urgency]


def kev_priority(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Four vulnerabilities with exploitation, EPSS and CVSS -> which to mend first and why."""
    rated = [
        (one, urgency) for one in knowledge.of_type("vulnerability") if (urgency := urgency_of(one)) and _open(knowledge, one)
    ]
    known = [one for one in rated if one[1].tier >= 2]
    others = sorted((one for one in rated if one[1].tier < 2), key=lambda one: content_id("priority", one[0].id))
    by_tier: dict[int, list[Rated]] = defaultdict(list)
    for one in rated:
        by_tier[one[1].tier].append(one)
    for first, urgency in [*known, *others[: OTHERS_PER_KNOWN * max(1, len(known))]]:
        less = _less_urgent(first, urgency, by_tier)
        if len(less) < 3:
            yield Skip(first.id, "few-distractors")
            continue
        reasons = [f"{_short(one)} comes later: {_compare(urgency, worth)}." for one, worth in less]
        answer = f"{_short(first)} comes first: {_facts(urgency)}.\n" + "\n".join(reasons)
        options = [f"{_short(one)}: {_facts(worth)}" for one, worth in [(first, urgency), *less]]
        yield Draft(subject=first.id, slots={}, answer=answer, options=options, entities=[one.id for one, _ in less])


def kev_action(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Vulnerability known to be exploited -> what is required, by when, and how long that leaves (`kev_action`)."""
    for vulnerability in knowledge.of_type("vulnerability"):
        action, added, due = (str(vulnerability.fields.get(name) or "") for name in ("kev_action", "kev_added", "kev_due"))
        if not action:
            continue
        days = _days(added, due)
        text = vulnerability_text(knowledge, vulnerability, STORY_WORDS)
        if days is None or not text:
            yield Skip(vulnerability.id, "no-field" if text else "no-text")
            continue
        ransom = " Ransomware campaigns use it." if vulnerability.fields.get("kev_ransomware") == "Known" else ""
        answer = (
            f"{sentence(text)}\nIt is exploited and was listed on {added}.{ransom}\n"
            f"Required: {sentence(action)}\nDue by {due}, {days} days after the listing."
        )
        yield Draft(subject=vulnerability.id, slots={"name": _short(vulnerability)}, answer=answer)


def exploited_weakness(knowledge: Knowledge, params: TasksParams) -> Drafts:
    """Weakness -> how often, for which products and how soon it is exploited, counted over known exploited vulnerabilities."""
    for weakness in knowledge.of_type("weakness"):
        cases = [
            one for one in knowledge.subjects(weakness.id, "instance-of", "vulnerability") if one.fields.get("known_exploited")
        ]
        cases = [one for one in cases if _open(knowledge, one)]
        if len(cases) < LEAST_CASES:
            continue
        ransom = sum(one.fields.get("kev_ransomware") == "Known" for one in cases)
        vendors = Counter(str(one.fields.get("vendor")) for one in cases if one.fields.get("vendor"))
        often = [f"{name} ({count})" for name, count in sorted(vendors.items(), key=lambda one: (-one[1], one[0]))[:3]]
        likely = sorted(
            (one for one in cases if one.fields.get("epss") is not None), key=lambda one: (-float(one.fields["epss"]), one.id)
        )
        lines = [f"{titled(weakness)} is the root cause of {len(cases)} exploited vulnerabilities known here."]
        lines.append(
            f"Ransomware campaigns used {ransom} of them." if ransom else "None of them is known from ransomware campaigns."
        )
        lines += [f"Makers most often hit: {listing(often)}."] if often else []
        examples = (likely or hash_order(cases, weakness.id))[:2]
        lines.append(f"Examples: {listing([_short(one) for one in examples])}.")
        slots = {"name": weakness.name, "id": number(weakness.id)}
        yield Draft(subject=weakness.id, slots=slots, answer="\n".join(lines), entities=[one.id for one in examples])


def urgency_of(vulnerability: Entity) -> Urgency | None:
    """What is known about exploitation and severity; nothing where there is neither prediction nor score."""
    fields = vulnerability.fields
    names = ("epss", "cvss_score" if "cvss_score" in fields else "nvd_score")
    epss, cvss = (float(fields[name]) if isinstance(fields.get(name), int | float) else None for name in names)
    if epss is None and cvss is None:
        return None
    exploitation = str(fields.get("ssvc_exploitation") or "").lower()
    tier = 2 if fields.get("known_exploited") or exploitation == "active" else int(exploitation == "poc")
    return Urgency(3 if fields.get("kev_ransomware") == "Known" else tier, epss, cvss)


def _open(knowledge: Knowledge, entity: Entity) -> bool:
    return knowledge.split(entity.id) != "heldout"


def _less_urgent(first: Entity, urgency: Urgency, rated: dict[int, list[Rated]]) -> list[Rated]:
    """Three others: one as much exploited, the rest less, and if possible with a higher CVSS score, which is the trap."""
    wanted: list[Rated] = []
    spare: list[Rated] = []
    for tier in range(urgency.tier, -1, -1):
        pool = rated.get(tier, [])
        start = int(content_id("later", first.id, str(tier)), 16)
        tried = [pool[(start + place * STRIDE) % len(pool)] for place in range(min(TRIES, len(pool)))]
        clear = [(one, worth) for one, worth in tried if one.id != first.id and urgency.clearly_before(worth)]
        traps = [one for one in clear if urgency.scores_below(one[1])]
        wanted += (traps or clear)[:1]
        spare += clear[:3]
    return list({one[0].id: one for one in [*wanted, *spare]}.values())[:3]


def _short(vulnerability: Entity) -> str:
    """`CVE-2021-44228 (Apache Log4j2)`; the maker once where the product's name begins with it."""
    vendor, product = (str(vulnerability.fields.get(name) or "").strip() for name in ("vendor", "product"))
    made = product if product.casefold().startswith(vendor.casefold()) else f"{vendor} {product}".strip()
    return f"{number(vulnerability.id)} ({made})" if made else number(vulnerability.id)


def _facts(urgency: Urgency) -> str:
    scores = [f"CVSS {urgency.cvss:.1f}"] if urgency.cvss is not None else []
    return ", ".join([TIERS[urgency.tier], *scores, *([f"EPSS {urgency.epss:.2f}"] if urgency.epss is not None else [])])


def _compare(first: Urgency, later: Urgency) -> str:
    """Why `later` is less urgent."""
    if first.tier != later.tier:
        trap = "; that its CVSS score is higher does not outweigh this" if first.scores_below(later) else ""
        return f"{TIERS[later.tier]}, which is less urgent{trap}"
    if first.epss is not None and later.epss is not None:
        return f"equal in exploitation, but with EPSS {later.epss:.2f} against {first.epss:.2f}"
    return f"equal in exploitation, but with CVSS {later.cvss:.1f} against {first.cvss:.1f}"


def _days(added: str, due: str) -> int | None:
    """Days between two ISO dates."""
    try:
        return (datetime.date.fromisoformat(due) - datetime.date.fromisoformat(added)).days
    except ValueError:
        return None
