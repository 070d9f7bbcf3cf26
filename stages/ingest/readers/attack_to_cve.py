"""Mappings of CVEs to the ATT&CK techniques that exploit them and follow from them, by the CTID (2021, 2022).

Files: `mappings`. The ids are those of ATT&CK 8: what has since been revoked or left is for the graph to resolve and
to report. A list in a cell is separated by semicolons. Ids of ICS techniques had three digits then.
"""

import re

from stages.errors import InputError
from stages.ingest.csv_rows import csv_rows
from stages.ingest.records import Records, SourceFiles
from stages.ingest.vulnerabilities import CVE

_RELATIONS = {
    "Exploitation Technique": "exploitation-technique",
    "Primary Impact": "primary-impact",
    "Secondary Impact": "secondary-impact",
    "Uncategorized": "related-to",
}
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_ICS_TECHNIQUE = re.compile(r"T8[0-9]{2}")
_BETWEEN = re.compile(r"[;,\s]+")


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with links from vulnerabilities to techniques. It has no texts and so makes no entities."""
    for number, row in csv_rows(files, "mappings", records, ("CVE ID", *_RELATIONS)):
        cve = row["CVE ID"].strip()
        if not CVE.fullmatch(cve):
            records.reject(f"record {number}: {cve}", "no-cve-id")
            continue
        for column, relation in _RELATIONS.items():
            for technique in _techniques(row[column], f"record {number}: {cve}, {column}", records):
                records.link(f"cve:{cve}", relation, f"attack:{technique}")
    if not records.links:
        raise InputError(f"{files.where('mappings')} maps no CVE to a technique.", remedy="Pin a whole file.")


def _techniques(cell: str, record: str, records: Records) -> list[str]:
    """The ids of a cell, each once; what is none is a reject."""
    found = []
    for written in filter(None, (part.strip(".") for part in _BETWEEN.split(cell))):
        if _TECHNIQUE.fullmatch(written):
            found.append(written)
        elif _ICS_TECHNIQUE.fullmatch(written):
            found.append(f"T0{written[1:]}")
        else:
            records.reject(record, "no-technique-id", written)
    return list(dict.fromkeys(found))
