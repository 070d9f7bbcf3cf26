"""NIST SP 800-53 as OSCAL catalogues, JSON or YAML.

Files: `catalogue` (revision 5); optionally `low`, `moderate`, `high`, `privacy` (resolved profiles: who is in the baseline,
and how a control is assessed if the catalogue does not say) and `revision_4`, whose controls are of a type of their own.
Organisation-defined parameters are written out as prose: `an organization-defined frequency`, and choices as `a, b or c`.
"""

from collections.abc import Mapping
from typing import Any

from stages.errors import InputError
from stages.ingest.readers.nist.assessment import assessment
from stages.ingest.readers.nist.layout import Catalog, Control, Parameter, read_catalog
from stages.ingest.readers.nist.prose import filled, label, lines
from stages.ingest.records import Records, SourceFiles
from stages.ingest.schema import Entity
from stages.ingest.text import clean

SUPPORTED = "5"
BASELINES = ("low", "moderate", "high", "privacy")
_MOVED = ("incorporated-into", "moved-to")
_CURRENT = "https://csrc.nist.gov/projects/cprt/catalog#/cprt/framework/version/SP_800_53_{version}/home"
_FORMER = "https://csrc.nist.gov/pubs/sp/800/53/r4/upd3/final"


class _Publication:
    """Controls of one catalogue with what their texts refer to."""

    def __init__(self, catalog: Catalog, records: Records, prefix: str) -> None:
        self.prefix, self.version = prefix, catalog.metadata.version
        families = [(group.title, top) for group in catalog.groups for top in records.convert(group.controls, Control)]
        self.controls = [(family, control, parent) for family, top in families for control, parent in top.walk()]
        self.ids = {control.id: f"{prefix}:{control.label}" for _, control, _ in self.controls}
        self.by_id = {control.id: control for _, control, _ in self.controls}
        self.parameters = {parameter.id: parameter for _, control, _ in self.controls for parameter in control.params}

    def moved(self, control: Control) -> list[str]:
        """Where the text of a withdrawn control went: ids, each once."""
        return list(
            dict.fromkeys(self.ids[ref.control] for ref in control.links if ref.rel in _MOVED and ref.control in self.ids)
        )

    def related(self, control: Control) -> list[str]:
        """Ids of related controls; revision 4 states them with the discussion."""
        refs = control.links + [ref for part in control.parts for ref in part.links]
        return list(dict.fromkeys(self.ids[ref.control] for ref in refs if ref.rel == "related" and ref.control in self.ids))


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with controls, their relations, and passages."""
    current = _publication(files, "catalogue", records, "nist")
    files.check_version("catalogue", current.version, SUPPORTED)
    profiles = {role: _publication(files, role, records, "nist") for role in BASELINES if files.has(role)}
    for family, control, parent in current.controls:
        inside = {role: profile for role, profile in profiles.items() if control.id in profile.by_id}
        assessed = [(control, current.parameters)]
        assessed += [(profile.by_id[control.id], profile.parameters) for profile in inside.values()]
        more = {"baselines": [role.upper() for role in inside], "assessment": _first(assessed)}
        _add(control, family, parent, current, records, more)
    _reject_strangers(current, profiles, records)
    if files.has("revision_4"):
        _add_former(_publication(files, "revision_4", records, "nist-r4"), current, records)


def _publication(files: SourceFiles, role: str, records: Records, prefix: str) -> _Publication:
    publication = _Publication(read_catalog(files, role), records, prefix)
    if not publication.controls:
        raise InputError(f"{files.where(role)} holds no controls.", remedy="Pin a whole file.")
    return publication


def _first(assessed: list[tuple[Control, dict[str, Parameter]]]) -> dict[str, Any]:
    """The first assessment that says anything: the catalogue's own, or that of a profile."""
    return next((found for control, parameters in assessed if (found := assessment(control, parameters))), {})


def _reject_strangers(current: _Publication, profiles: dict[str, _Publication], records: Records) -> None:
    for role, profile in profiles.items():
        for id in sorted(set(profile.by_id) - set(current.by_id)):
            records.reject(f"{role} {profile.ids[id]}", "unresolved-id", "a baseline's control that the catalogue does not hold")


def _add(control: Control, family: str, parent: str, publication: _Publication, records: Records, more: dict[str, Any]) -> Entity:
    parameters, moved = publication.parameters, publication.moved(control)
    statement = "\n".join(line for part in control.parts if part.name == "statement" for line in lines(part, parameters))
    guidance = "\n".join(clean(filled(part.prose, parameters)) for part in control.parts if part.name == "guidance")
    entity = records.entity(
        publication.ids[control.id],
        "control" if publication.prefix == "nist" else "control-r4",
        clean(control.title),
        statement,
        _CURRENT.format(version=publication.version.replace(".", "_")) if publication.prefix == "nist" else _FORMER,
        {
            "family": family,
            "guidance": guidance,
            "enhances": publication.ids.get(parent, ""),
            "withdrawn": control.withdrawn or None,
            "moved_to": moved,
            "parameters": [found for one in control.params if (found := _parameter(one, parameters))],
        }
        | more,
        deprecated=control.withdrawn,
        revoked_by=moved[0] if control.withdrawn and len(moved) == 1 else "",
        version=publication.version,
    )
    _link(entity, control, parent, publication, records)
    _add_passages(entity, records)
    return entity


def _link(entity: Entity, control: Control, parent: str, publication: _Publication, records: Records) -> None:
    if parent and not control.withdrawn:
        records.link(entity.id, "child-of", publication.ids[parent])
    for other in publication.related(control):
        records.link(entity.id, "related-to", other)


def _add_passages(entity: Entity, records: Records) -> None:
    records.passage(entity, "statement", entity.text)
    records.passage(
        entity, "guidance", entity.fields.get("guidance", ""), f"Discussion of {entity.id.split(':')[1]} {entity.name}"
    )


def _parameter(parameter: Parameter, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """{label} of what is to be defined, or {choices, how_many}."""
    if parameter.select.choice:
        choices = [clean(filled(choice, parameters)) for choice in parameter.select.choice]
        return {"choices": choices} | ({"how_many": parameter.select.how_many} if parameter.select.how_many else {})
    return {"label": clean(label(parameter))} if label(parameter) else {}


def _add_former(former: _Publication, current: _Publication, records: Records) -> None:
    """Revision 4, and where each control lives on in revision 5."""
    for family, control, parent in former.controls:
        entity = _add(control, family, parent, former, records, {"assessment": assessment(control, former.parameters)})
        successor = current.by_id.get(control.id)
        if successor is None or control.withdrawn:
            continue
        for id in current.moved(successor) if successor.withdrawn else [current.ids[control.id]]:
            records.link(entity.id, "succeeded-by", id)
