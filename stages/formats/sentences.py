"""What a sentence of a format says, as far as code can tell: patterns, each linear in the sentence's length."""

import re

_ENDS = ".!?"
_ABBREVIATIONS = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|approx|incl|resp|no)\.", re.IGNORECASE)
_NEXT_SENTENCE = re.compile(r"[.!?][\"')”]?\s+[\"'(“]?[A-Z]")
_OWN_NUMBER = re.compile(r"(?:step\s*)?\(?(?:\d{1,2}|[a-h])[.):]\s|step\s*\d|[-*•]\s", re.IGNORECASE)
_CONCLUDES = re.compile(
    r"(?:(?:finally|then|now),?\s+)?(?:conclude\b|draw the conclusion\b"
    r"|(?:give|state|name|write)\s+(?:the|your)\s+(?:final answer|verdict|conclusion|answer line|letter)\b)",
    re.IGNORECASE,
)
_NOT = r"\b(?:do not|does not|must not|should not|cannot|don['’]t|never|not|no|nor|without|avoid|instead of|rather than)\b"
_LISTED = (
    r"evidence|references?(?! (?:point|model|number|system|architecture|implementation)\b)|citations?|footnotes?|bibliograph\w+"
)
_MATERIAL = (
    rf"(?:{_LISTED}|documents?|documentation"
    r"|(?<!log )(?<!data )(?<!event )(?<!log-)sources?(?! (?:address|port|code|host|system|and destination|ip)\b)"
    r"|(?:retrieved|provided|supplied|grounding|search|reference) (?:passages?|texts?|results?|information|context|data|material|entr(?:y|ies)))\b"
)
_SPEAKS = r"\b(?:mention|cit(?:e|ing)|quot(?:e|ing)|refer(?:ring|s)? to|referenc(?:e|ing)\b(?= the)|point(?:ing)? (?:back )?to|according to|as (?:stated|shown|described) (?:in|by)|attribut\w+)"
_GIVES = r"\b(?:give|giving|add|adding|list|listing|name|naming|include|including|provide|providing|state|stating|append)"
_CITES = re.compile(
    rf"{_SPEAKS}[^.;]{{0,40}}?\b{_MATERIAL}"
    rf"|{_GIVES}(?: (?:a|an|the|all|any|your|its|their|used|relevant|supporting)){{0,3}} (?:{_LISTED})\b",
    re.IGNORECASE,
)
_FORBIDS = re.compile(
    rf"{_NOT}[^.;:]{{0,60}}?\b(?:mention\w*|cit(?:e|es|ed|ing|ation\w*)|quot\w+|refer\w*|speak|name|naming|talk\w*|point\w*|reveal\w*)\b"
    rf"[^.]{{0,60}}?\b(?:{_MATERIAL}|passages?\b|context\b)|{_NOT}\s+(?:references?|citations?|sources)\b",
    re.IGNORECASE,
)
_DECIDES = re.compile(r"\b(?:conclusions?|concludes?|final answer|verdict|last line|answer line|key(?! \w+s\b))\b", re.IGNORECASE)
_STAYS = re.compile(
    r"\b(?:equals?|same|match(?:es)?|identical|unchanged|agrees?|stays?|remains?|keep|preserve|consistent|align(?:s|ed)?|correspond(?:s)?|reflects?)\b"
    rf"|{_NOT}[^.;:]{{0,30}}?\bchang(?:e|ed|es|ing)\b",
    re.IGNORECASE,
)
_ANSWER_STAYS = re.compile(
    r"\banswer\b[^.]{0,40}\b(?:equals?|match(?:es)?|identical|unchanged|same (?:as|answer|letter|id|key|verdict))\b"
    r"|\b(?:do not|never|must not|without) (?:alter|chang)\w*[^.]{0,30}\banswer\b",
    re.IGNORECASE,
)
_CONTROLS = "AC|AT|AU|CA|CM|CP|IA|IR|MA|MP|PE|PL|PM|PS|PT|RA|SA|SC|SI|SR"  # families of NIST SP 800-53
_ID = re.compile(
    r"\b(?:CVE-\d{4}-\d{3,}|(?:CWE|CAPEC)-\d{1,5}|AML\.[TM]A?\d{4}|TA?\d{4}(?:\.\d{3})?|[GSMC]\d{4}|D3-[A-Z]{2,}"
    rf"|(?:{_CONTROLS})-\d{{1,2}}|AV:[NALP]/AC:[LH]\S*|[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}})\b"
)
_ANSWER = re.compile(
    r"\b(?:final|correct|right)\s{1,3}(?:answer|option)\s{0,3}(?:is|:|=)\s{0,3}[\"'`(*“]{0,3}(?:(?-i:[A-H])(?![A-Za-z'’-])|(?:yes|no)\b)"
    r"|\b(?:choose|pick|answer|conclude with|give)\s(?:the\s)?(?:option\s|letter\s)?[\"'`“]?(?:(?-i:[A-H])|yes|no)[\"'`”]?[.!]?$",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"```|~~~|\*\*|__|^\s{0,3}#{1,6}\s|</?[a-z!][^<>\n]{0,80}>|<{2,}|>{2,}|\]\(|https?://|\{\{?[^{}\n]{0,40}\}|\|\s{0,3}-{3,}|^\s{0,3}>\s",
    re.IGNORECASE,
)


def is_one_sentence(text: str) -> bool:
    """Whether `text` starts with a capital, ends like a sentence and holds no second one."""
    plain = _ABBREVIATIONS.sub("", text.strip())
    return bool(plain) and not plain[0].islower() and plain.rstrip("\"')”")[-1:] in _ENDS and not _NEXT_SENTENCE.search(plain)


def own_number(text: str) -> str:
    """The number or dash that `text` brings along although its place in the list says it; empty if none."""
    found = _OWN_NUMBER.match(text.strip())
    return found[0].strip() if found else ""


def concludes(text: str) -> bool:
    """Whether a step draws the conclusion."""
    return _CONCLUDES.match(text.strip()) is not None


def cites_evidence(text: str) -> bool:
    """Whether a sentence tells the writer to speak of evidence or sources; a log source or a source address is neither."""
    found = _CITES.search(text)
    if found is None:
        return False
    clause = re.split(r"[.;:]", text[: found.start()])[-1]
    return not re.search(_NOT, clause, re.IGNORECASE)


def forbids_evidence(text: str) -> bool:
    """Whether a rule forbids to speak of evidence or sources."""
    return _FORBIDS.search(text) is not None


def keeps_conclusion(text: str) -> bool:
    """Whether a rule says that the conclusion is that of the given answer."""
    return (_DECIDES.search(text) is not None and _STAYS.search(text) is not None) or _ANSWER_STAYS.search(text) is not None


def first_id(text: str) -> str:
    """The first id of a catalogue in `text`; empty if there is none."""
    found = _ID.search(text)
    return found[0] if found else ""


def first_answer(text: str) -> str:
    """The words by which `text` gives an answer away; empty if it does not."""
    found = _ANSWER.search(text)
    return found[0] if found else ""


def first_markup(text: str) -> str:
    """The first mark in `text` that is layout, a link, a place to fill or a control character; empty if there is none."""
    found = _MARKUP.search(text)
    unprintable = next((character for character in text if not character.isprintable()), "")
    return found[0] if found else visible(unprintable)


def visible(text: str) -> str:
    """`text` with every character that a terminal would obey written as its number."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
