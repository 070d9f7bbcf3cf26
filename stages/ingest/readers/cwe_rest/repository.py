"""MITRE CWE as the JSON of its REST interface, one file per entry.

Files: `repository`, an archive of `W/<number>.json` (weaknesses), `C/...` (categories), `V/...` (views) and `cwev.json`
(the version). Lists of all categories or views, and the tree, only repeat what the entries say and are not read.
"""

import re

from stages.errors import InputError
from stages.ingest.containers import Member
from stages.ingest.readers.cwe.assemble import SUPPORTED, Group, Weakness, fill
from stages.ingest.readers.cwe_rest import fields as rest_fields
from stages.ingest.readers.cwe_rest.layout import GroupRecord, Version, WeaknessRecord
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import tidy

_ENTRY = re.compile(r"(?:^|/)([WCV])/[0-9]+\.json$")
_KINDS = {"C": "category", "V": "view"}


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with weaknesses, categories, views, the vulnerabilities they name, and passages."""
    version = ""
    weaknesses: list[Weakness] = []
    groups: list[Group] = []
    for member in files.each("repository", records, "*.json"):
        if match := _ENTRY.search(member.name):
            _add(member, match.group(1), records, weaknesses, groups)
        elif member.name.endswith("cwev.json") and (said := records.decode_json(member, Version)):
            version = said.content_version
    files.check_version("repository", version, SUPPORTED)
    if not weaknesses:
        raise InputError(f"{files.where('repository')} holds no weakness.", allowed="files `W/<number>.json`")
    fill(records, sorted(weaknesses, key=_place), sorted(groups, key=_place))


def _add(member: Member, kind: str, records: Records, weaknesses: list[Weakness], groups: list[Group]) -> None:
    if kind == "W":
        if record := records.decode_json(member, WeaknessRecord):
            weaknesses.append(_weakness(record))
    elif group := records.decode_json(member, GroupRecord):
        groups.append(_group(group, _KINDS[kind]))


def _place(entry: Weakness | Group) -> tuple[int, str]:
    """By number: the order of an archive is its packer's."""
    return len(entry.number), entry.number


def _weakness(record: WeaknessRecord) -> Weakness:
    return Weakness(
        number=record.id,
        name=tidy(record.name),
        description=rest_fields.text(record.description),
        extended=rest_fields.text(record.extended_description),
        fields=rest_fields.fields(record),
        relations=[(one.nature, one.cwe_id, one.view_id) for one in record.related_weaknesses],
        observed=[(one.reference, rest_fields.text(one.description)) for one in record.observed_examples],
    )


def _group(record: GroupRecord, kind: str) -> Group:
    return Group(
        kind=kind,
        number=record.id,
        name=tidy(record.name),
        text=rest_fields.text(record.summary or record.objective),
        fields={"status": record.status, "view_type": record.type, "mapping": rest_fields.mapping(record.mapping_notes)},
        members=[one.cwe_id for one in (*record.relationships, *record.members)],
    )
