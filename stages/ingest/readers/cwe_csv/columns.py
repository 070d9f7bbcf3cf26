"""The packed columns of CWE's CSV: `::KEY:value:KEY:value::KEY:value::`, entries between `::`, keys in capitals.

A value may hold `::` itself (`Foo::bar`): an entry begins only where a key of its column follows.
"""

import re
from functools import lru_cache
from typing import Any

from stages.ingest.text import clean

Entry = list[tuple[str, str]]  # keys repeat: an entry may name several scopes

KEYS = {
    "Related Weaknesses": ("NATURE", "CWE ID", "VIEW ID", "ORDINAL", "CHAIN ID"),
    "Weakness Ordinalities": ("ORDINALITY", "DESCRIPTION"),
    "Applicable Platforms": tuple(
        f"{what} {of}"
        for what in ("LANGUAGE", "TECHNOLOGY", "OPERATING SYSTEM", "ARCHITECTURE")
        for of in ("NAME", "CLASS", "PREVALENCE")
    ),
    "Alternate Terms": ("TERM", "DESCRIPTION"),
    "Modes Of Introduction": ("PHASE", "NOTE"),
    "Common Consequences": ("SCOPE", "IMPACT", "LIKELIHOOD", "NOTE"),
    "Detection Methods": ("METHOD", "DESCRIPTION", "EFFECTIVENESS"),
    "Potential Mitigations": ("PHASE", "STRATEGY", "DESCRIPTION", "EFFECTIVENESS"),
    "Observed Examples": ("REFERENCE", "DESCRIPTION", "LINK"),
    "Taxonomy Mappings": ("TAXONOMY NAME", "ENTRY ID", "ENTRY NAME", "MAPPING FIT"),
    "Notes": ("TYPE", "NOTE"),
}
_PHASES = re.compile(  # several are joined by a space
    "Policy|Requirements|Architecture and Design|Implementation|Build and Compilation|Testing|Documentation|Bundling|Distribution|"
    "Installation|System Configuration|Operation|Patching and Maintenance|Porting|Integration|Manufacturing|"
    "Decommissioning and End-of-Life"
)


@lru_cache
def _patterns(column: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    keys = "|".join(map(re.escape, KEYS[column]))
    return re.compile(f"::(?=(?:{keys}):)"), re.compile(f"(?:^|:)({keys}):")


def entries(column: str, packed: str) -> list[Entry]:
    """The entries of a packed column as pairs of key and text."""
    between, key = _patterns(column)
    found = []
    for part in between.split(packed.strip().removesuffix("::")):
        pieces = key.split(part)
        if len(pieces) > 1:
            found.append([(name, value.strip()) for name, value in zip(pieces[1::2], pieces[2::2], strict=True)])
    return found


def items(packed: str) -> list[str]:
    """The values of a column without keys."""
    return [text for part in packed.split("::") if (text := clean(part, tags=False))]


def one(entry: Entry, key: str) -> str:
    """The text of a key, or empty."""
    return next((clean(value, tags=False) for name, value in entry if name == key), "")


def several(entry: Entry, key: str) -> list[str]:
    """The texts of a key that repeats."""
    return [text for name, value in entry if name == key and (text := clean(value, tags=False))]


def fields(row: dict[str, str]) -> dict[str, Any]:
    """Everything of a weakness but its description and its links, as `readers.cwe.fields` has it from XML."""
    return {
        "abstraction": row["Weakness Abstraction"],
        "status": row["Status"],
        "background": items(row["Background Details"]),
        "alternate_terms": _all(row, "Alternate Terms", term="TERM", description="DESCRIPTION"),
        "modes_of_introduction": _all(row, "Modes Of Introduction", phase="PHASE", note="NOTE"),
        "platforms": _platforms(row["Applicable Platforms"]),
        "likelihood": row["Likelihood of Exploit"],
        "consequences": [_consequence(entry) for entry in entries("Common Consequences", row["Common Consequences"])],
        "detection_methods": _all(
            row, "Detection Methods", method="METHOD", description="DESCRIPTION", effectiveness="EFFECTIVENESS"
        ),
        "mitigations": [_mitigation(entry) for entry in entries("Potential Mitigations", row["Potential Mitigations"])],
        "functional_areas": items(row["Functional Areas"]),
        "affected_resources": items(row["Affected Resources"]),
        "taxonomies": _all(row, "Taxonomy Mappings", taxonomy="TAXONOMY NAME", id="ENTRY ID", name="ENTRY NAME"),
        "capec": sorted({f"CAPEC-{number}" for number in items(row["Related Attack Patterns"]) if number.isdecimal()}),
        "ordinalities": [one(entry, "ORDINALITY") for entry in entries("Weakness Ordinalities", row["Weakness Ordinalities"])],
        "notes": _all(row, "Notes", type="TYPE", note="NOTE"),
    }


def _all(row: dict[str, str], column: str, **keys: str) -> list[dict[str, Any]]:
    return [_present({name: one(entry, key) for name, key in keys.items()}) for entry in entries(column, row[column])]


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _platforms(packed: str) -> list[str]:
    pairs = [pair for entry in entries("Applicable Platforms", packed) for pair in entry]
    return sorted({value for key, value in pairs if value and key.endswith((" NAME", " CLASS"))})


def _consequence(entry: Entry) -> dict[str, Any]:
    return _present({"scopes": several(entry, "SCOPE"), "impacts": several(entry, "IMPACT"), "note": one(entry, "NOTE")})


def _mitigation(entry: Entry) -> dict[str, Any]:
    said = {name: one(entry, name.upper()) for name in ("strategy", "description", "effectiveness")}
    return _present({"phases": _PHASES.findall(one(entry, "PHASE"))} | said)
