"""A page cut into passages by its headings, each with an id that leads back to the snapshot."""

import re

from stages.ground.schema import WEB
from stages.ground.web.extract import markdown
from stages.ground.web.schema import Snapshot
from stages.ingest.schema import Passage

CHARACTERS = 1200  # of a passage, as `ingest.passage_chars` has it for the local sources
LEAST = 80  # characters; shorter pieces (a date, a button) say nothing by themselves
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_NOT_SPACE = re.compile(r"\S")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def passages_of(page: Snapshot, licence: str) -> list[Passage]:
    """Passages of `page` in its order. Raises Refused for a page that is too large to read."""
    pieces = [(heading, piece) for heading, text in sections(markdown(page.body, page.content_type)) for piece in cut_up(text)]
    return [
        Passage(
            id=f"{page.id}#{number}", entity_id=page.id, title=": ".join(part for part in (page.title, heading) if part), text=piece,
            source=WEB, version=page.retrieved[:10], uri=page.final_url, licence=licence,
        )
        for number, (heading, piece) in enumerate(pieces, 1)
    ]  # fmt: skip


def sections(text: str) -> list[tuple[str, str]]:
    """(heading, text under it) in order; the heading of the text before the first one is empty."""
    found: list[tuple[str, list[str]]] = [("", [])]
    in_code = False
    for line in text.splitlines():
        in_code ^= line.startswith("```")
        heading = None if in_code else _HEADING.fullmatch(line.rstrip())
        if heading:
            found.append((heading[2].strip("# "), []))
        else:
            found[-1][1].append(line)
    return [(heading, body) for heading, lines in found if (body := "\n".join(lines).strip())]


def cut_up(text: str) -> list[str]:
    """`text` in pieces of at most CHARACTERS, cut between paragraphs, sentences or words, in this order of preference."""
    pieces: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        joiner = "\n\n"
        for part in _parts(paragraph.strip()):
            if pieces and len(pieces[-1]) + len(joiner) + len(part) <= CHARACTERS:
                pieces[-1] += joiner + part
            else:
                pieces.append(part)
            joiner = " "
    return [piece for piece in pieces if len(piece) >= LEAST]


def _parts(paragraph: str) -> list[str]:
    """A paragraph whole, or its sentences, those too long cut after a word."""
    if len(paragraph) <= CHARACTERS:
        return [paragraph]
    parts = []
    for sentence in _SENTENCE_END.split(paragraph):
        start = 0  # in place of cutting the sentence shorter and shorter, which would copy it each time
        while len(sentence) - start > CHARACTERS:
            space = sentence.rfind(" ", start + 1, start + CHARACTERS)
            end = space if space > 0 else start + CHARACTERS
            parts.append(sentence[start:end])
            start = _NOT_SPACE.search(sentence, end).start()  # type: ignore[union-attr]  # a paragraph ends with a letter
        parts.append(sentence[start:])
    return [part for part in parts if part]
