"""All rules of decontamination together: identifiers, words, most of the words, meaning. For the stage and for the command."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from stages.runtime import RuntimeParams
from stages.validate.benchmark_index import BenchmarkIndex, Item, build_index
from stages.validate.credentials import without_credentials
from stages.validate.decontaminate import Contamination, Match, find_contamination, sorted_matches
from stages.validate.overlap import Document
from stages.validate.params import DecontaminationParams
from stages.validate.paraphrase import Encoders, Similar, Vectors, find_paraphrases, matching

CHECKED = "checked"
_LIKE_A_KEY = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d])\w{20,}\b")


class Leaks(NamedTuple):
    """Every match, and what was not looked at."""

    index: BenchmarkIndex
    contamination: Contamination  # with the matches of all rules
    similar: list[Similar]  # every passage whose vector was compared, matching or not
    embedding: str  # `checked`, or why not: then paraphrases were not looked for


def find_leaks(
    documents: Sequence[Document],
    items: Sequence[Item],
    params: DecontaminationParams,
    encoders: Encoders | None,
    why_not: str = "there is no encoder",
) -> Leaks:
    """Matches of `documents` with `items`; without `encoders` paraphrases are not looked for, and `embedding` says so."""
    index = build_index(items, params)
    found = find_contamination(documents, index, params)
    known = {(match.row, match.benchmark, match.item) for match in found.matches}
    similar = find_paraphrases(documents, index, encoders, params, known) if encoders else []
    matches = [_harmless(match) for match in (*found.matches, *matching(similar, params))]
    return Leaks(index, found._replace(matches=sorted_matches(matches)), similar, CHECKED if encoders else why_not)


class LazyEncoder:
    """The sentence encoder in `folder`, loaded when the first passage is read: most runs on small data need none."""

    def __init__(self, folder: Path, runtime: RuntimeParams) -> None:
        self._folder, self._runtime = folder, runtime

    def encode_kept(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of `texts`."""
        from stages.embed.encoders import MiniLMEncoder

        return MiniLMEncoder(self._folder, self._runtime).encode_kept(texts)


def load_encoders(folder: Path, runtime: RuntimeParams) -> Encoders | None:
    """The files of stage `encoder` in `folder`; None where it made none (`encoder.kind: none`)."""
    from stages.embed.encoders import StaticEncoder

    if not ((folder / "static").is_dir() and (folder / "minilm").is_dir()):
        return None
    return Encoders(StaticEncoder(folder / "static"), LazyEncoder(folder / "minilm", runtime))


def _harmless(match: Match) -> Match:
    """The match with no credential in its excerpt, which reports quote; words of n-grams have lost their case."""
    shown = _LIKE_A_KEY.sub("[...]", without_credentials(match.evidence))
    return match if shown == match.evidence else msgspec.structs.replace(match, evidence=shown)
