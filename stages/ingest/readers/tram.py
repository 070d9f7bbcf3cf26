"""Sentences of threat reports that people labelled with ATT&CK techniques, from TRAM.

Files: `sentences` (single_label.json). A sentence that was labelled more than once is one entity with all its labels.
Ids of ATT&CK that the report itself put behind a phrase are removed: they would give the label away.
"""

import re

import msgspec

from stages.errors import InputError
from stages.ingest.records import Records, SourceFiles
from stages.ingest.text import tidy
from stages.tables import content_id

_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_GIVEN_AWAY = re.compile(r"\[TA?\d{4}(?:\.\d{3})?\]|\bTA?\d{4}(?:\.\d{3})?\b")
_PAGE = "https://github.com/center-for-threat-informed-defense/tram"


class Sentence(msgspec.Struct):
    """One label of one sentence."""

    text: str
    label: str
    doc_title: str = ""


def read(files: SourceFiles, records: Records) -> None:
    """Fill `records` with sentences and the techniques they describe."""
    try:
        raws = msgspec.json.decode(files.read("sentences"), type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{files.where('sentences')} is not a list of labelled sentences: {error}",
            allowed="the file single_label.json of TRAM 2",
            remedy="Pin that file.",
        ) from error
    found: dict[str, dict[str, str]] = {}  # by text: documents by technique
    for number, sentence in enumerate(records.convert(raws, Sentence)):
        text = tidy(_GIVEN_AWAY.sub("", sentence.text))
        reason = _reason_to_drop(text, sentence.label, found)
        if reason:
            records.reject(f"sentence {number} of {sentence.doc_title}", reason, f"{sentence.label}: {text}")
        else:
            found.setdefault(text, {})[sentence.label] = tidy(sentence.doc_title)
    for text, labels in sorted(found.items()):
        _add(text, labels, records)


def _reason_to_drop(text: str, label: str, found: dict[str, dict[str, str]]) -> str:
    if not text:
        return "empty-text"
    if not _TECHNIQUE.fullmatch(label):
        return "no-technique-id"
    return "duplicate" if label in found.get(text, {}) else ""


def _add(text: str, labels: dict[str, str], records: Records) -> None:
    documents = sorted(set(labels.values()) - {""})
    entity = records.entity(
        f"tram:{content_id(text)}",
        "report-sentence",
        documents[0] if documents else "",
        text,
        _PAGE,
        {"techniques": sorted(labels), "documents": documents},
    )
    for technique in sorted(labels):
        records.link(entity.id, "describes", f"attack:{technique}")
