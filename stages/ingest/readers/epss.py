"""EPSS: the probability that a vulnerability is exploited within 30 days, and its percentile.

Files: `scores`, either FIRST's daily file (columns `cve`, `epss`, `percentile` below a comment with the date), or the
list of known exploited vulnerabilities with their scores that jgamblin/KEV_EPSS keeps. FIRST's file names every CVE
and describes none: its entities are bare ids, completed by the sources that have a text. The list also has NVD's CVSS 3 score
(`nvd_score`), which 5 of 6 exploited vulnerabilities have nowhere else; without its vector it cannot stand for `cvss_score`, which
may be that of another scorer.
"""

import re
from typing import Any

from stages.ingest.csv_rows import csv_rows
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import clean
from stages.ingest.vulnerabilities import CVE, add_vulnerability, iso_date

_COLUMNS = {  # by the header's first name: the columns of id, score and percentile
    "cve": ("cve", "epss", "percentile"),
    "CVE": ("CVE", "EPSS", "EPSS Percentile"),
}
_SCORE_DATE = re.compile(r"score_date:(\d{4}-\d{2}-\d{2})")
_PROBABILITY = re.compile(r"[01](?:\.\d{1,12})?|0?\.\d{1,12}|\d(?:\.\d{1,12})?[eE]-\d{1,2}", re.ASCII)
_SCORE = re.compile(r"10(?:\.0)?|\d(?:\.\d)?", re.ASCII)


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with vulnerabilities and their scores. The version stands for the date where the file has none."""
    with files.open("scores") as stream:
        head = stream.read(512).decode("utf-8-sig", errors="replace")
    date = match[1] if (match := _SCORE_DATE.search(head)) else iso_date(files.source.version)
    lines = [line for line in head.splitlines() if not line.startswith("#")]
    columns = _COLUMNS["CVE" if lines and lines[0].startswith("CVE") else "cve"]
    for number, row in csv_rows(files, "scores", records, columns):
        _add(number, row, columns, date, records)


def _add(number: int, row: dict[str, str], columns: tuple[str, str, str], date: str, records: Records) -> None:
    cve, score, percentile = (row[name].strip() for name in columns)
    if not CVE.fullmatch(cve) or not (_chance(score) and _chance(percentile)):
        reason = "no-score" if CVE.fullmatch(cve) else "no-cve-id"
        records.reject(f"record {number}: {cve}", reason, f"{score}, {percentile}")
        return
    text = clean(row.get("Description", ""), markdown=True)
    fields: dict[str, Any] = {"epss": float(score), "epss_percentile": float(percentile), "epss_date": date}
    if text:  # the list of exploited ones says more
        rated = row.get("CVSS3", "").strip()
        fields |= {"known_exploited": True, "vendor": clean(row.get("Vendor", "")), "product": clean(row.get("Product", ""))}
        fields |= {"nvd_score": float(rated) if _SCORE.fullmatch(rated) else None}
    else:
        fields |= {"stub": True}
    add_vulnerability(records, cve, text, fields)


def _chance(written: str) -> bool:
    return bool(_PROBABILITY.fullmatch(written)) and float(written) <= 1
