"""Sigma rules as the project publishes them: one YAML file per rule, in a tar or a release zip.

Files: `rules` (an archive; `*.yml` of it unless `member` names a pattern). The rules are under the Detection Rule License
1.1, which asks that the author stays named: the author is in every record. Retired rules are kept, marked deprecated.
"""

import re

from stages.ingest.records import Records, SourceFiles
from stages.ingest.sigma_rule import add_rule, read_rules

_FOLDER = re.compile(r"(?:rules|deprecated|unsupported)[\w-]*/.*")  # what stands above it is the archive's own folder
_PAGE = "https://github.com/SigmaHQ/sigma/tree/master/"


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with rules, the techniques they detect, the vulnerabilities they are about, and passages."""
    seen: set[str] = set()
    for member in files.each("rules", records, "*.yml"):
        for rule in read_rules(member, records):
            if not rule.id or rule.id in seen:
                records.reject(f"{member.name} {rule.title}", "duplicate-id" if rule.id else "no-id", rule.id)
                continue
            seen.add(rule.id)
            found = _FOLDER.search(member.name)
            path = found.group() if found else member.name
            add_rule(rule, records, id=f"sigma:{rule.id}", uri=_PAGE + path, filename=path)
