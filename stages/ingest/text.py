"""Source texts as clean prose: no citations, link syntax, markup or control characters; cut texts found out.

Angle brackets that are no known markup (`<script>` in a description of cross-site scripting) are content and stay.
"""

import html
import itertools
import re
import unicodedata

_TAGS = "a|b|blockquote|br|code|div|em|h[1-6]|i|img|li|ol|p|pre|span|strong|sub|sup|table|tbody|td|th|thead|tr|tt|ul"
_BLOCK_TAG = re.compile(r"</?(?:xhtml:)?(?:br|div|h[1-6]|li|ol|p|pre|tr|ul)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:xhtml:)?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_CITATION = re.compile(r"(?<!\s)\s*\(Citation:[^()]*(?:\([^()]*\)[^()]*)*\)")
_OPEN_CITATION = re.compile(r"(?<!\s)\s*\(Citation:[^)]*$")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:https?://|/|#|\.)[^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
_REFERENCE = re.compile(r"(?<!\s)\s*\[REF-\d+\]")
_BOLD = re.compile(r"\*\*(\S(?:[^*\n]*\S)?)\*\*")
_LABEL = re.compile(r"(?<![\w*])\*([^*\n]+:)\*(?!\w)")
_CODE = re.compile(r"`{1,3}([^`\n]+)`{1,3}")
_OPEN_LINK = re.compile(r"\[([^\[\]]*)\]\(https?://\S*")
_SECTIONS = "Background|Description|Details|Impact|Overview|Patches|Summary|Workarounds"
_HEADING = re.compile(rf"(?m)(?:^#{{1,6}}|(?<=\s)#{{2,6}})\s+(?:(?:{_SECTIONS})\b:?\s*)?")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s{2,}|[^\S ]")  # in a line: all but the single space that stays
_BEFORE_MARK = re.compile(r"\s+([,;](?=\s|$)|\.(?=\s*$|\s+[A-Z]))", re.MULTILINE)  # ` . ` before a small letter is a dot
_GLUED = re.compile(r"(?<=[a-z)])\.(?=[A-Z][a-z]*(?:-[a-z]+)?[\s:,])")
_GLUED_ITEM = re.compile(r"(?:(?<=\))|\b([a-z]{3,}))(?=[A-Z][a-z]+(?:-[a-z]+)?(?:[ -][A-Za-z]|: ))")
_TWO_STOPS = re.compile(r"(?<=[A-Za-z)])\.\.(?=\s+[A-Z]|\s*$)")  # a citation stood between them
_MARK_APART = re.compile(r"[ \n][,;.]")
_CUT = re.compile(r"(?:\.\.\.|…)\s*$")
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)\]\"'%A-Z]{2})[.!?][\"')\]]?(?=\s+[\"'(\[]?[A-Z0-9]|\s*$)")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|approx|incl|Inc|Ltd|Corp|No|St|Mr|Dr|U\.S|U\.K))\.$")
WHOLE_SENTENCE = 40  # characters: a shorter beginning of a cut text says too little to be used


def clean(text: str, *, markdown: bool = False, tags: bool = True) -> str:
    """`text` as prose: paragraphs are single line breaks. `markdown` also removes emphasis, code marks and headings.

    Without `tags`, `<p>` is content: for texts of which a parser has already read the markup.
    """
    if not text:
        return ""
    text = _CITATION.sub("", text) if "(Citation:" in text else text
    if "](" in text:
        for _ in range(2):  # a link text may itself hold an image
            text = _LINK.sub(r"\1", text)
        text = _OPEN_LINK.sub(r"\1", text)
    text = _TAG.sub("", _BLOCK_TAG.sub("\n", text)) if tags and "<" in text else text
    text = html.unescape(text) if "&" in text else text
    text = _LABEL.sub(r"\1", _BOLD.sub(r"\1", text)) if "*" in text else text
    if markdown:
        text = _CODE.sub(r"\1", text.replace("```", "")) if "`" in text else text
        text = (_HEADING.sub("", text) if "#" in text else text).replace("`", "")
    text = _REFERENCE.sub("", text) if "[REF-" in text else text
    return tidy(text)


def tidy(text: str) -> str:
    """Normal form C, no control or invisible characters, single spaces, single line breaks."""
    text = unicodedata.normalize("NFC", text.replace("\r", "\n").replace("\u00a0", " "))
    text = "\n".join(filter(None, map(_spaced, text.split("\n")))) if "\n" in text else _spaced(text)
    text = _BEFORE_MARK.sub(r"\1", text) if _MARK_APART.search(text) else text
    return _TWO_STOPS.sub(".", text) if ".." in text else text


def _spaced(line: str) -> str:
    """Visible characters and single spaces; a printable line has no other white space, which spares most lines the search."""
    if not line.isprintable():
        line = _SPACES.sub(" ", _INVISIBLE.sub("", line))
    elif "  " in line:
        line = _SPACES.sub(" ", line)
    return line.strip()


def is_cut(text: str) -> bool:
    """Whether a source cut the text and marked it with dots."""
    return bool(_CUT.search(text))


def whole_sentences(text: str, *, markdown: bool = False) -> tuple[str, bool]:
    """(clean whole sentences of `text`, whether a source had cut it).

    A text that was cut inside a trailing citation is complete; of any other cut text only the whole sentences
    before the cut remain, or nothing if they are shorter than WHOLE_SENTENCE.
    """
    if not is_cut(text):
        return clean(text, markdown=markdown), False
    body = _CUT.sub("", text)
    without_citation = _OPEN_CITATION.sub("", body)
    cleaned = clean(without_citation, markdown=markdown)
    ends = [match.end() for match in _SENTENCE_END.finditer(cleaned) if not _ABBREVIATION.search(cleaned[: match.end()])]
    complete = without_citation != body and bool(ends) and ends[-1] == len(cleaned)
    if not complete and ends and ends[-1] == len(cleaned):
        ends.pop()  # dots right after a full stop: the last sentence may itself be cut
    kept = cleaned[: ends[-1]].strip() if ends else ""
    return (kept if len(kept) >= WHOLE_SENTENCE else ""), not complete


def split_glued_sentences(text: str) -> str:
    """A space after full stops that a list lost when its items were joined: `network.The victim`."""
    return _GLUED.sub(". ", text)


def split_glued_items(text: str) -> str:
    """Full stops between the items of a list that were joined without any: `in the databaseMalicious data is used`.

    For sections that are lists only: elsewhere a word like `setHeader` is a name.
    """
    return _GLUED_ITEM.sub(lambda match: f"{match[1] or ''}. ", split_glued_sentences(text))


def paragraphs(text: str, limit: int) -> list[str]:
    """`text` in pieces of at most about `limit` characters, broken between lines, or between sentences of a long line."""
    pieces: list[str] = []
    for line in text.split("\n"):
        parts = [line] if len(line) <= limit else _sentences(line)
        for index, part in enumerate(parts):
            glue = "\n" if index == 0 else " "
            if pieces and len(pieces[-1]) + len(part) < limit:
                pieces[-1] += glue + part
            elif part:
                pieces.append(part)
    return pieces


def _sentences(line: str) -> list[str]:
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(line)), len(line)]
    return [line[a:b].strip() for a, b in itertools.pairwise(starts) if line[a:b].strip()]
