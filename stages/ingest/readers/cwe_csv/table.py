"""MITRE CWE as the CSV of its views (`1000.csv`, `1003.csv`): fewer fields than XML or JSON, no code, no mapping notes.

Files: `research` (view 1000: all weaknesses); optionally `simplified` (view 1003: those that vulnerabilities are mapped to).
The files do not say of which version they are: that is the declaration's.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from stages.errors import InputError
from stages.ingest.readers.cwe.assemble import RESEARCH_VIEW, SIMPLIFIED_VIEW, Group, Weakness, fill
from stages.ingest.readers.cwe_csv.columns import entries, fields, one
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean

COLUMNS = next(
    csv.reader(
        [
            "CWE-ID,Name,Weakness Abstraction,Status,Description,Extended Description,Related Weaknesses,Weakness Ordinalities,"
            "Applicable Platforms,Background Details,Alternate Terms,Modes Of Introduction,Exploitation Factors,"
            "Likelihood of Exploit,Common Consequences,Detection Methods,Potential Mitigations,Observed Examples,Functional Areas,"
            "Affected Resources,Taxonomy Mappings,Related Attack Patterns,Notes"
        ]
    )
)
_ROLES = {
    RESEARCH_VIEW: ("research", "Research Concepts"),
    SIMPLIFIED_VIEW: ("simplified", "Weaknesses for Simplified Mapping of Published Vulnerabilities"),
}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with weaknesses, the two views, the vulnerabilities they name, and passages."""
    weaknesses: dict[str, Weakness] = {}
    groups = []
    for view, (role, name) in _ROLES.items():
        if role == "research" or files.has(role):
            read_here = [_weakness(row) for row in _rows(files, role, records)]
            groups.append(Group("view", view, name, "", {}, [one.number for one in read_here if not _hangs(one, view)]))
            weaknesses |= {one.number: one for one in read_here if one.number not in weaknesses}
    fill(records, weaknesses.values(), groups)


def _hangs(weakness: Weakness, view: str) -> bool:
    """Whether the weakness hangs below another one: then it is in the view, and no direct member."""
    return any(nature == "ChildOf" and of == view for nature, _, of in weakness.relations)


def _rows(files: SourceFiles, role: str, records: Records) -> Iterator[dict[str, str]]:
    """Rows by column name. A row that is broken or not UTF-8 is a reject."""
    with files.open(role) as stream:
        content = stream.read().decode("utf-8-sig", errors="surrogateescape")
    lines = csv.reader(io.StringIO(content, newline=""))
    header = next(_readable(lines, role, records), [])
    if header[: len(COLUMNS)] != COLUMNS:
        raise InputError(
            f"{files.where(role)} has the columns {', '.join(header)[:200] or '(none)'}.",
            allowed=", ".join(COLUMNS),
            remedy="Pin the CSV of a view: https://cwe.mitre.org/data/downloads.html.",
        )
    for row in _readable(lines, role, records):
        where = f"{role} CWE-{row[0][:20] if row else ''}"
        if len(row) < len(COLUMNS):
            records.reject(where, "broken-record", f"{len(row)} of {len(COLUMNS)} columns")
        elif any("\udc80" <= char <= "\udcff" for cell in row for char in cell):
            records.reject(where.encode("ascii", "replace").decode(), "not-utf8")
        else:
            yield dict(zip(COLUMNS, row, strict=False))


def _readable(lines: Any, role: str, records: Records) -> Iterator[list[str]]:
    while True:
        try:
            yield next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            records.reject(f"{role} line {lines.line_num}", "broken-record", str(error))


def _weakness(row: dict[str, str]) -> Weakness:
    related = entries("Related Weaknesses", row["Related Weaknesses"])
    return Weakness(
        number=row["CWE-ID"],
        name=clean(row["Name"], tags=False),
        description=clean(row["Description"], tags=False),
        extended=clean(row["Extended Description"], tags=False),
        fields=fields(row),
        relations=[(one(entry, "NATURE"), one(entry, "CWE ID"), one(entry, "VIEW ID")) for entry in related],
        observed=[
            (one(entry, "REFERENCE"), one(entry, "DESCRIPTION"))
            for entry in entries("Observed Examples", row["Observed Examples"])
        ],
    )
