"""CISA's catalogue of known exploited vulnerabilities, as JSON or as CSV.

Files: `catalogue`.
"""

from collections.abc import Iterator

import msgspec

from stages.errors import InputError
from stages.ingest.csv_rows import csv_rows
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.vulnerabilities import CVE, add_vulnerability, iso_date

_COLUMNS = ("cveID", "shortDescription", "dateAdded")


class Exploited(msgspec.Struct):
    """One entry of the catalogue; both forms have the same names."""

    cve: str = msgspec.field(name="cveID")
    text: str = msgspec.field(name="shortDescription")
    added: str = msgspec.field(name="dateAdded")
    name: str = msgspec.field(name="vulnerabilityName", default="")
    vendor: str = msgspec.field(name="vendorProject", default="")
    product: str = ""
    action: str = msgspec.field(name="requiredAction", default="")
    due: str = msgspec.field(name="dueDate", default="")
    ransomware: str = msgspec.field(name="knownRansomwareCampaignUse", default="")
    cwes: list[str] = []


class Catalogue(msgspec.Struct):
    """The JSON file."""

    vulnerabilities: list[msgspec.Raw]


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with exploited vulnerabilities, links to their weaknesses, and passages."""
    for entry in _entries(files, records):
        text = clean(entry.text, markdown=True)
        if not CVE.fullmatch(entry.cve) or not text:
            records.reject(f"{entry.cve} {entry.name}", "empty-text" if CVE.fullmatch(entry.cve) else "no-cve-id")
            continue
        _add(entry, text, records)


def _entries(files: SourceFiles, records: Records) -> Iterator[Exploited]:
    with files.open("catalogue") as stream:
        is_json = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    if is_json:
        entries = files.decode("catalogue", Catalogue).vulnerabilities
        if not entries:
            raise InputError(f"{files.where('catalogue')} holds no entries.", remedy="Pin a whole file.")
        yield from records.convert(entries, Exploited)
        return
    for _, row in csv_rows(files, "catalogue", records, _COLUMNS):
        yield msgspec.convert(row | {"cwes": [name for name in row.get("cwes", "").split(",") if name.strip()]}, Exploited)


def _add(entry: Exploited, text: str, records: Records) -> None:
    name = clean(entry.name)
    fields = {
        "title": name,
        "vendor": clean(entry.vendor),
        "product": clean(entry.product),
        "known_exploited": True,
        "kev_added": iso_date(entry.added),
        "kev_due": iso_date(entry.due),
        "kev_action": clean(entry.action),
        "kev_ransomware": entry.ransomware if entry.ransomware in ("Known", "Unknown") else "",
        "kev_name": name,
    }
    entity = add_vulnerability(records, entry.cve, text, fields, entry.cwes)
    records.passage(entity, "kev", f"{text}\nRequired action: {fields['kev_action']}", f"{entry.cve} {name}".strip())
