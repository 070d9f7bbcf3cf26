"""One Sigma rule as its authors wrote it (specification 2.0): checked by pySigma, then an entity with its links.

pySigma parses the whole rule and its condition: 3,731 rules take about a second, so that no cheaper check is needed.
"""

from datetime import date
from typing import Any

import msgspec

from stages.ingest.containers import Member
from stages.ingest.records import Records
from stages.ingest.sigma_tags import cves, tactics, techniques
from stages.ingest.text import clean
from stages.ingest.yaml_documents import BrokenYaml, parse_yaml_documents

RULE_LIMIT = 1 << 20  # bytes of one file: the longest known rule, a list of hashes, has 0.3 MB
CONDITION_LIMIT = 2000  # characters: the longest known has 600; brackets in brackets make the parser slow
NESTING_LIMIT = 12  # brackets open at a time; the deepest known condition has 4
_RETIRED = ("deprecated", "unsupported")


class LogSource(msgspec.Struct):
    """Which logs the rule reads."""

    category: str | None = None
    product: str | None = None
    service: str | None = None


class Rule(msgspec.Struct):
    """The parts of a rule that become fields; pySigma checks the rest."""

    title: str
    detection: dict[str, Any]
    logsource: LogSource
    id: str = ""
    description: str = ""
    author: str = ""
    license: str = ""
    status: str = ""
    level: str = ""
    date: Any = ""
    modified: Any = ""
    falsepositives: list[str] | str | None = None
    references: list[str] | str | None = None
    tags: list[str] | None = None
    fields: list[str] | None = None


def read_rules(member: Member, records: Records) -> list[Rule]:
    """The rules of one file that are valid; each of the others is a reject with pySigma's reason."""
    if len(member.content) > RULE_LIMIT:
        records.reject(member.name, "oversized", f"{len(member.content):,} bytes; at most {RULE_LIMIT:,}")
        return []
    try:
        documents = parse_yaml_documents(member.content)
    except BrokenYaml as error:
        records.reject(member.name, "not-utf8" if "UTF-8" in str(error) else "broken-yaml", str(error))
        return []
    if not documents:
        records.reject(member.name, "broken-record", "the file is empty")
    found = []
    for number, document in enumerate(documents, start=1):
        name = member.name if len(documents) == 1 else f"{member.name} rule {number}"
        rule = _rule(name, document, records)
        found += [rule] if rule else []
    return found


def _rule(name: str, document: Any, records: Records) -> Rule | None:
    reason = _unsupported(document)
    if reason:
        records.reject(name, *reason)
        return None
    try:
        rule = msgspec.convert(document, Rule, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        records.reject(name, "broken-record", str(error))
        return None
    fault = _fault(document)
    if fault:
        records.reject(f"{name} {rule.id}", "invalid-rule", fault)
    elif not clean(rule.description, markdown=True):
        records.reject(f"{name} {rule.id} {rule.title}", "empty-text", "a rule without a description")
    else:
        return rule
    return None


def _unsupported(document: Any) -> tuple[str, str] | None:
    """Sigma files that are no single rule: they say something about other rules."""
    kinds = [kind for kind in ("correlation", "filter", "action") if isinstance(document, dict) and kind in document]
    return ("not-a-detection-rule", f"it is of kind `{kinds[0]}`; rules with `detection` are read") if kinds else None


def _fault(document: dict[str, Any]) -> str:
    """What pySigma finds wrong with the rule or its condition, or an empty string."""
    from sigma.rule import SigmaRule

    conditions = _listed(document["detection"].get("condition"))
    if any(len(str(one)) > CONDITION_LIMIT or _nesting(str(one)) > NESTING_LIMIT for one in conditions):
        return f"condition longer than {CONDITION_LIMIT} characters or nested deeper than {NESTING_LIMIT}"
    try:
        rule = SigmaRule.from_dict(document, collect_errors=True)
        for condition in rule.detection.parsed_condition if not rule.errors else []:
            condition.parse()
        faults = [str(error) for error in rule.errors]
    except Exception as error:  # the parser of rules raises what it meets: anything but a rule is a fault of the rule
        faults = [f"{type(error).__name__}: {error}"]
    return "; ".join(faults)


def _nesting(condition: str) -> int:
    depth = deepest = 0
    for sign in condition:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    return deepest + condition.count(" not not ")


def add_rule(rule: Rule, records: Records, *, id: str, uri: str, filename: str, **more: Any) -> None:
    """An entity `sigma-rule`, the techniques it detects, the vulnerabilities it is about, and a passage."""
    text = clean(rule.description, markdown=True)
    tags = rule.tags or []
    notes = [found for item in _listed(rule.falsepositives) if (found := clean(str(item), markdown=True))]
    entity = records.entity(
        id,
        "sigma-rule",
        clean(rule.title, markdown=True),
        text,
        uri,
        {
            "author": rule.author.strip(),
            "level": rule.level,
            "status": rule.status,
            "category": rule.logsource.category,
            "product": rule.logsource.product,
            "service": rule.logsource.service,
            "falsepositives": notes,
            "references": _listed(rule.references),
            "tactics": tactics(tags),
            "techniques": techniques(tags),
            "cves": cves(tags),
            "filename": filename.rsplit("/", 1)[-1],
            "detection": _as_yaml({key: value for key, value in rule.detection.items() if key != "condition"}),
            "condition": " | ".join(_listed(rule.detection.get("condition"))),
            "date": iso_date(rule.date),
            "modified": iso_date(rule.modified),
            "fields": rule.fields or [],
        },
        published=iso_date(rule.date),
        deprecated=rule.status in _RETIRED or any(part in _RETIRED for part in filename.split("/")),
        **more,
    )
    for technique in techniques(tags):
        records.link(entity.id, "detects", f"attack:{technique}", licence=entity.licence)
    for cve in cves(tags):
        records.link(entity.id, "related-to", f"cve:{cve}", licence=entity.licence)
    listed = "; ".join(note.rstrip(".") for note in notes)
    records.passage(
        entity, "description", f"{text}\nKnown false positives: {listed}." if listed else text, f"Sigma rule: {entity.name}"
    )


def iso_date(value: Any) -> str:
    """`2024-03-01` of a YAML date or of the older spelling `2024/03/01`; empty for anything else."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value or "").strip().replace("/", "-")).isoformat()
    except ValueError:
        return ""


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _as_yaml(detection: dict[str, Any]) -> str:
    """The searches as YAML in the order of the rule."""
    import yaml

    return yaml.dump(detection, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000).strip()
