"""Read files with one reader, without pins and params."""

import importlib
from pathlib import Path

from stages.ingest.params import File, Source
from stages.ingest.records import Records, SourceFiles


def read_with(reader: str, files: dict[str, Path | tuple[Path, str]], version: str = "1", licence: str = "CC0-1.0") -> Records:
    """Records of the files by role; a tuple also names the member or pattern inside the file."""
    placed = {role: file if isinstance(file, tuple) else (file, "") for role, file in files.items()}
    declared = {role: File(pin=role, member=member) for role, (_, member) in placed.items()}
    source = Source(reader=reader, version=version, licence=licence, files=declared)
    records = Records(reader, source, passage_chars=1200)
    module = importlib.import_module(f"stages.ingest.readers.{reader}")
    module.read(SourceFiles(reader, source, {role: path for role, (path, _) in placed.items()}), records)
    return records
