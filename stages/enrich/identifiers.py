"""Identifiers that a text names, read as the checks of a rewrite need them: strictly enough that ordinary words are none."""

import re
import unicodedata

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_FAMILIES = "AC|AT|AU|CA|CM|CP|IA|IR|MA|MP|PE|PL|PM|PS|PT|RA|SA|SC|SI|SR"  # of the controls of NIST SP 800-53
_ID = re.compile(
    r"(?<![A-Za-z0-9])(?:CVE[-_ ]?(?P<year>\d{4})[-_](?P<serial>\d{4,})|(?P<list>CWE|CAPEC)[-_ :#]{0,2}(?P<number>\d+)"
    r"|(?P<d3fend>D3-[A-Z]{2,6}\d*)|AML[._ -](?P<atlas>(?:TA|CS|[TM])\d{4}(?:\.\d{3})?)"
    rf"|(?!IA-(?:32|64)\b)(?P<family>{_FAMILIES})-(?P<control>\d{{1,2}})(?!-?\d)(?:\s?\((?P<enhancement>\d{{1,2}})\))?"
    r"|CAR[-_ ](?P<car>\d{4}-\d{2}-\d{3})|(?P<advisory>(?:ICSM?A|VA)-\d{2}-\d{3}-\d{2}[A-Z]?)|(?P<wstg>WSTG-[A-Z]{4}-\d{2})"
    r"|(?P<attack>(?:TA|DET|DS|DC|AN|[ATMGSC])\d{4}(?:\.\d{3})?))(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def ids_in(text: str) -> set[str]:
    """Every CVE, CWE, CAPEC, ATT&CK, ATLAS, D3FEND, CAR, WSTG, NIST control and CISA advisory id that `text` names, as entity ids."""
    return {name for _, name in named_ids(text)}


def named_ids(text: str) -> list[tuple[str, str]]:
    """The ids that `text` names, in its order: as it writes them (with plain characters), and as entity ids."""
    return [(found[0], _entity_id(found)) for found in _ID.finditer(plain(text))]


def plain(text: str) -> str:
    """`text` with plain letters, digits and hyphens, and without invisible characters: a reader sees the same."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(letter for letter in text if letter.isascii() or unicodedata.category(letter) != "Cf")


def _entity_id(found: re.Match[str]) -> str:
    if found["year"]:
        return f"cve:CVE-{found['year']}-{found['serial']}"
    if found["list"]:
        return f"{found['list'].lower()}:{found['list'].upper()}-{_number(found['number'])}"
    if found["family"]:
        part = f"({_number(found['enhancement'])})" if found["enhancement"] else ""
        return f"nist:{found['family'].upper()}-{_number(found['control'])}{part}"
    if found["atlas"]:
        return f"atlas:AML.{found['atlas'].upper()}"
    if found["car"]:
        return f"car:CAR-{found['car']}"
    if found["advisory"]:
        return f"csaf:{found['advisory'].upper()}"
    if found["wstg"]:
        return f"wstg:{found['wstg'].upper()}"
    return f"d3fend:{found['d3fend'].upper()}" if found["d3fend"] else f"attack:{found['attack'].upper()}"


def _number(digits: str) -> str:
    """Without zeros in front: catalogues print some, and mean the same."""
    return digits.lstrip("0") or "0"
