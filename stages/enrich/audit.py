"""A second look at the finished table, which trusts no decision: are all answer keys there, and is no identifier invented?

It reads what was written, and compares it with the instruction rows and the graph; the keep rule, which should have
made sure of the same, has no part in it, and neither have its patterns: identifiers are read here in looser forms.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from stages.answers import final_keys
from stages.enrich.schema import EnrichedRow
from stages.ground.schema import Evidence
from stages.statistics import wilson_interval
from stages.tasks.schema import InstructionRow

MOST_NAMED = 20  # offending rows that are named
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_LOOSE = re.compile(
    r"(?<![a-z0-9])(?:(?P<cve>cve)[ _:-]{0,2}(?P<year>\d{4})[ _-](?P<serial>\d{4,})|(?P<list>cwe|capec)[ _:#-]{0,3}(?P<number>\d+)"
    r"|(?P<d3fend>d3-[a-z]{2,6}\d*)|aml[ ._-]{1,2}(?P<atlas>(?:ta|cs|[tm])\d{4}(?:\.\d{3})?)"
    r"|(?!ia-(?:32|64)\b)(?P<nist>(?:a[ctu]|c[amp]|i[ar]|m[ap]|p[elmst]|ra|s[acir])-\d{1,2})(?!-?\d)(?: ?\((?P<part>\d{1,2})\))?"
    r"|car[ _:-]{1,2}(?P<car>\d{4}-\d{2}-\d{3})|(?P<csaf>(?:icsm?a|va)-\d{2}-\d{3}-\d{2}[a-z]?)|(?P<wstg>wstg-[a-z]{4}-\d{2})"
    r"|(?P<attack>(?:ta|det|ds|dc|an|[atmgsc])\d{4}(?:\.\d{3})?))(?![a-z0-9])"
)


class Audit(msgspec.Struct):
    """Counts over rows; `add` is called once for each row, in any order."""

    rows: int = 0  # kept rewrites
    keyed: int = 0  # of them those that have a key
    preserved: int = 0
    invented: int = 0  # identifiers that neither the graph nor row or evidence have, each once a row
    unsupported: int = 0  # identifiers of the graph that neither row nor evidence names
    changed: int = 0  # rows of which enrichment altered what it must leave alone, kept or not
    offending: set[str] = set()

    def add(self, row: EnrichedRow, task: InstructionRow | None, graph: Collection[str], evidence: Iterable[Evidence]) -> None:
        """Look at one row of the finished table beside the instruction row that it was made from."""
        altered = task is None or row.template_answer != task.answer or row.answer_key != task.answer_key
        if altered or (row.decision != "rewritten" and row.answer != row.template_answer):
            self.changed += 1
            self.offending.add(row.id)
        if row.decision != "rewritten" or task is None:
            return
        kept_key = not task.answer_key or set(final_keys(task.key_kind, row.answer)) == set(_key_of(task))
        strange = loose_ids(row.answer) - _told(task, evidence)
        invented = {name for name in strange if name not in graph}
        strange -= invented
        self.rows += 1
        self.keyed += bool(task.answer_key)
        self.preserved += bool(task.answer_key) and kept_key
        self.invented += len(invented)
        self.unsupported += len(strange)
        if invented or strange or not kept_key:
            self.offending.add(row.id)

    def metrics(self) -> dict[str, Any]:
        """Figures of the kept rows; the share of preserved keys is None where no kept row has a key."""
        interval = wilson_interval(self.preserved, self.keyed) if self.keyed else None
        return {
            "rows": self.rows,
            "with_key": self.keyed,
            "answer_key_preserved": interval.value if interval else None,  # not rounded: 1.0 is every row
            "answer_key_preserved_low": round(interval.low, 4) if interval else None,  # Wilson's 95 % interval
            "keys_lost": self.keyed - self.preserved,
            "invented_ids": self.invented,
            "unsupported_ids": self.unsupported,
            "rows_altered": self.changed,
            "offending": sorted(self.offending)[:MOST_NAMED],
        }


def audit(
    rows: Iterable[EnrichedRow],
    tasks: Mapping[str, InstructionRow],
    graph: Collection[str],
    evidence: Mapping[str, list[Evidence]],
) -> Audit:
    """The audit of `rows`; `evidence` is by row id, whatever of it the teacher was shown."""
    found = Audit()
    for row in rows:
        shown = set(row.evidence_ids)
        found.add(row, tasks.get(row.id), graph, [one for one in evidence.get(row.id, []) if one.passage_id in shown])
    return found


def loose_ids(text: str) -> set[str]:
    """Entity ids that `text` names in any writing: `cwe 79`, `CWE_79`, `ＣＷＥ－79`, with invisible characters in between."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).casefold()
    plain = "".join(letter for letter in plain if letter.isascii() or unicodedata.category(letter) != "Cf")
    return {_entity_id(found) for found in _LOOSE.finditer(plain)}


def _entity_id(found: re.Match[str]) -> str:
    if found["cve"]:
        return f"cve:CVE-{found['year']}-{found['serial']}"
    if found["list"]:
        return f"{found['list']}:{found['list'].upper()}-{int(found['number'][:9])}"
    if found["nist"]:
        family, _, number = found["nist"].upper().partition("-")
        part = f"({int(found['part'])})" if found["part"] else ""
        return f"nist:{family}-{int(number)}{part}"
    if found["atlas"]:
        return f"atlas:AML.{found['atlas'].upper()}"
    if found["car"]:
        return f"car:CAR-{found['car']}"
    for listed in ("csaf", "wstg"):
        if found[listed]:
            return f"{listed}:{found[listed].upper()}"
    return f"d3fend:{found['d3fend'].upper()}" if found["d3fend"] else f"attack:{found['attack'].upper()}"


def _key_of(task: InstructionRow) -> list[str]:
    """As the original answer writes it, or as the row states it."""
    return final_keys(task.key_kind, task.answer) or task.answer_key


def _told(task: InstructionRow, evidence: Iterable[Evidence]) -> set[str]:
    """Ids that the row or its evidence names."""
    shown = list(evidence)
    texts = "\n".join([task.instruction, task.answer, *(one.text for one in shown)])
    return loose_ids(texts) | {*task.entity_ids, *task.document_ids} | {one.entity_id for one in shown}
