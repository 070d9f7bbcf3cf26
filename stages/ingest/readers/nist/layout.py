"""The parts of an OSCAL catalogue that are read, from JSON or YAML."""

from collections.abc import Iterator

import msgspec

from stages.errors import InputError
from stages.ingest.records import SourceFiles
from stages.ingest.yaml_documents import BrokenYaml, parse_yaml


class Prop(msgspec.Struct):
    """A name and a value; labels exist in several spellings, told apart by class."""

    name: str
    value: str
    kind: str = msgspec.field(name="class", default="")


class Ref(msgspec.Struct):
    """A link to another control, to a part of one, or to a reference."""

    href: str
    rel: str = ""

    @property
    def control(self) -> str:
        """Id of the control: `ac-2` for `#ac-2_smt.k`, a part of its statement."""
        return self.href.removeprefix("#").split("_")[0]


class Part(msgspec.Struct):
    """A part of a control's text."""

    name: str
    prose: str = ""
    props: list[Prop] = []
    links: list[Ref] = []
    parts: list["Part"] = []


class Selection(msgspec.Struct, rename="kebab"):
    """A choice: one of the values, or `one-or-more`."""

    how_many: str = ""
    choice: list[str] = []


class Parameter(msgspec.Struct):
    """An organisation-defined value: a label, or a choice."""

    id: str
    label: str = ""
    select: Selection = msgspec.field(default_factory=Selection)


class Control(msgspec.Struct):
    """A control, or an enhancement of one."""

    id: str
    title: str
    params: list[Parameter] = []
    props: list[Prop] = []
    links: list[Ref] = []
    parts: list[Part] = []
    controls: list["Control"] = []

    @property
    def label(self) -> str:
        """`AC-2(1)`."""
        labels = [prop.value for prop in self.props if prop.name == "label" and not prop.kind]
        return labels[0] if labels else self.id.upper()

    @property
    def withdrawn(self) -> bool:
        """Whether its text lives on elsewhere or nowhere."""
        return any(prop.name == "status" and prop.value.lower() == "withdrawn" for prop in self.props)

    def walk(self, parent: str = "") -> Iterator[tuple["Control", str]]:
        """The control and its enhancements, each with the id of what it enhances."""
        yield self, parent
        for inner in self.controls:
            yield from inner.walk(self.id)


class Group(msgspec.Struct):
    """A family of controls."""

    id: str
    title: str
    controls: list[msgspec.Raw] = []


class Metadata(msgspec.Struct):
    """Title and version of the publication."""

    version: str
    title: str = ""


class Catalog(msgspec.Struct):
    """The catalogue, or a baseline's resolved selection of it."""

    metadata: Metadata
    groups: list[Group]


class _Document(msgspec.Struct):
    catalog: Catalog


def read_catalog(files: SourceFiles, role: str) -> Catalog:
    """The file `role`, JSON or YAML by its content. Raises InputError that names the key that is missing or wrong."""
    try:
        content = files.read(role)
        if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            content = msgspec.json.encode(parse_yaml(content))
        return msgspec.json.decode(content, type=_Document).catalog
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BrokenYaml, TypeError, ValueError) as error:
        raise InputError(
            f"{files.where(role)} does not have the expected layout: {str(error)[:300]}.",
            allowed="an OSCAL catalogue as JSON or YAML",
            remedy="Pin a catalogue or a resolved profile of https://github.com/usnistgov/oscal-content.",
        ) from error
