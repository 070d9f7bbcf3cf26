"""Section `ingest`: which files are fetched, and which reader reads what in them."""

from typing import Literal

from stages.config import Params
from stages.fetch import Pin


class File(Params):
    """One input of a reader: a member of a pinned zip (a wheel is one), a folder of it, or, with no member, the file."""

    pin: str  # a name in `ingest.pins`
    member: str = ""  # path inside the zip; a folder ends with `/`


class Source(Params):
    """One source and the reader that understands it. Each reader's docstring names the files that it needs."""

    reader: Literal["attack", "capec", "checks", "cwe", "d3fend", "incidents", "nist", "sigma"]
    version: str  # version of the content; readers compare it with what the file says of itself
    licence: str  # SPDX id or LicenseRef-..., unless a record states its own; see NOTICE
    files: dict[str, File]


class IngestParams(Params):
    """Pins by name, sources by name. A file that several sources read is fetched once."""

    pins: dict[str, Pin] = {}
    sources: dict[str, Source] = {}
    passage_chars: int = 1200  # about 250 tokens: two passages and a question fit the embedded model's prompt budget
