"""What the tags of a Sigma rule name: ATT&CK techniques and tactics, CVEs."""

import re
from collections.abc import Iterable

_TECHNIQUE = re.compile(r"^attack\.(t\d{4}(?:\.\d{3})?)$")
_CVE = re.compile(r"^cve\.(\d{4})[-.](\d{4,})$")
_TACTIC = re.compile(r"[a-z]+(?:-[a-z]+)*")


def techniques(tags: Iterable[str]) -> list[str]:
    """Ids of ATT&CK techniques: `T1059.001`."""
    return sorted({match.group(1).upper() for tag in _plain(tags) if (match := _TECHNIQUE.match(tag))})


def cves(tags: Iterable[str]) -> list[str]:
    """Ids of vulnerabilities: `CVE-2021-44228`."""
    return sorted({f"CVE-{match.group(1)}-{match.group(2)}" for tag in _plain(tags) if (match := _CVE.match(tag))})


def tactics(tags: Iterable[str]) -> list[str]:
    """Short names of tactics: `attack.` and a word that is no id of a technique, group or software."""
    names = {tag.removeprefix("attack.").replace("_", "-") for tag in _plain(tags) if tag.startswith("attack.")}
    return sorted(name for name in names if _TACTIC.fullmatch(name))


def _plain(tags: Iterable[str]) -> list[str]:
    return [tag.strip().lower() for tag in tags]
