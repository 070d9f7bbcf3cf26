"""Section `ingest`: which files are fetched, and which reader reads what in them."""

from stages.config import Params
from stages.fetch import Pin


class File(Params):
    """One input of a reader: the pinned file, or a part of it.

    With no `member` the file itself (gzip and xz are unpacked on the way). `member` is a path inside a zip (a wheel is
    one), a folder of it, or for readers of many records a shell pattern over the paths of a zip or tar.
    """

    pin: str  # a name in `ingest.pins`
    member: str = ""  # path inside the archive; a folder ends with `/`; or a pattern such as `*/rules/*.yml`


class Source(Params):
    """One source and the reader that understands it. Each reader's docstring names the files that it needs."""

    reader: str  # the name of a module in stages/ingest/readers
    version: str  # version of the content; readers compare it with what the file says of itself
    licence: str  # SPDX id or LicenseRef-..., unless a record states its own; see NOTICE
    files: dict[str, File]
    required: bool = True  # a source that may vanish or break upstream without stopping the others is not


OWN_KEYS = ("text", "id", "kind", "title", "cwe", "technique", "cve", "url", "licence", "published")


class OwnParams(Params):
    """The user's own files in data/own; data/own/README.md says what they may hold. An empty folder means none."""

    licence: str = "LicenseRef-Own-Data"  # of records that name none; its class in stages/licences.json decides their use
    version: str = "1"  # of the data, as rows and figures name it
    keys: dict[str, str] = {}  # our key -> its name in the files: {text: description}

    def __post_init__(self) -> None:
        unknown = sorted(set(self.keys) - set(OWN_KEYS))
        if unknown:
            raise ValueError(f"`keys` names {', '.join(unknown)}; a record has {', '.join(OWN_KEYS)}")


class IngestParams(Params):
    """Pins by name, sources by name. A file that several sources read is fetched once."""

    pins: dict[str, Pin] = {}
    sources: dict[str, Source] = {}
    own: OwnParams = OwnParams()
    passage_chars: int = 1200  # about 250 tokens: two passages and a question fit the embedded model's prompt budget

    def __post_init__(self) -> None:
        if "own" in self.sources:
            raise ValueError("`sources.own`: this name is that of the user's own files in data/own")
