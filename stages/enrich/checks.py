"""Deterministic checks of a rewrite: what code can decide is not asked of a judge. Each failed check is a reason."""

import re
from collections import Counter
from collections.abc import Collection
from functools import cache
from pathlib import Path

import msgspec

from stages.answers import final_keys
from stages.control_tokens import has_control_tokens
from stages.enrich.params import Length
from stages.formats.schema import Format
from stages.llm.fence import leaks_fence
from stages.llm.prompts import load_prompt
from stages.tasks.schema import InstructionRow

REWRITE_PROMPT = Path(__file__).parent / "prompts" / "rewrite.txt"
FORM = frozenset({"control-tokens", "fence-leaked", "loops", "truncated"})  # broken as text: another attempt may mend it

_ID = re.compile(
    r"\b(CVE-\d{4}-\d{4,}|CWE-\d+|CAPEC-\d+|D3-[A-Z]{2,6}\d*|(?:TA|DET|DS|DC|[TMGSC])\d{4}(?:\.\d{3})?)(?![\w-])", re.IGNORECASE
)
_PREFIXES = {"CVE": "cve", "CWE": "cwe", "CAP": "capec", "D3-": "d3fend"}
_MENTIONS = re.compile(
    r"\b(?:(?:original|template|reference|draft|given|provided) answer|rewritten answer|ground truth|reference (?:data|text)"
    r"|(?:the|this|given|provided|above|following) (?:evidence|passages?|reference|context)\b|evidence (?:above|provided|block)"
    r"|as an? (?:ai|language model|assistant)|i am an ai|(?:these|the) rules above|format steps)",
    re.IGNORECASE,
)
_SECTION = re.compile(r"^\s*(?:#{1,6}\s*)?(?:\*\*)?\s*(?:step\s*)?(\d{1,2})\s*[.:)]", re.IGNORECASE | re.MULTILINE)
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+\S|\*\*[^*\n]{2,80}\*\*:?\s*$)", re.MULTILINE)
_FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "for",
        "from",
        "in",
        "into",
        "is",
        "it",
        "may",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "when",
        "which",
        "with",
    ]
)


class Known(msgspec.Struct, frozen=True):
    """What a rewrite may name: ids of the graph, and the ids that its row, documents and evidence name."""

    graph: Collection[str]
    here: Collection[str]


def failed_checks(row: InstructionRow, form: Format, rewrite: str, known: Known, length: Length) -> list[str]:
    """Sorted reasons why `rewrite` cannot replace `row.answer`, before anybody judges it."""
    if not rewrite.strip():
        return ["empty"]
    named = ids_in(rewrite)
    found = {
        "control-tokens": has_control_tokens(rewrite),
        "copies-example": copies_example(rewrite, row),
        "fence-leaked": leaks_fence(rewrite),
        "format-not-followed": not follows_steps(rewrite, len(form.steps)),
        "key-changed": bool(row.answer_key) and not same_key(row, rewrite),
        "loops": loops(rewrite),
        "mentions-evidence": mentions_evidence(rewrite, row),
        "other-language": other_language(rewrite, row.answer),
        "too-long": prose_words(rewrite) > length.longest * prose_words(row.answer) + length.allowance,
        "too-short": prose_words(rewrite) < length.shortest * prose_words(row.answer),
        "unknown-id": any(name not in known.graph for name in named),
        "unsupported-id": any(name in known.graph and name not in known.here for name in named),
    }
    return sorted(reason for reason, is_so in found.items() if is_so)


def copies_example(rewrite: str, row: InstructionRow) -> bool:
    """Whether a sentence of the prompt's worked example stands in the rewrite: a small teacher repeats what it was shown."""
    shown = [sentence for line in example_lines() for sentence in re.split(r"(?<=[.])\s+", line) if len(sentence.split()) >= 4]
    own = f"{row.instruction}\n{row.answer}"
    return any(sentence in rewrite and sentence not in own for sentence in shown)


@cache
def example_lines() -> list[str]:
    """The prose of the worked example: no headings, no answer line."""
    answers = [text for role, text in load_prompt(REWRITE_PROMPT).turns if role == "assistant"]
    lines = [line for text in answers for line in text.splitlines()]
    return [line for line in lines if not line.startswith(("#", "Final answer"))]


def prose_words(text: str) -> int:
    """Words outside heading lines: headings alone say nothing."""
    return sum(len(line.split()) for line in text.splitlines() if not line.lstrip().startswith("#"))


def ids_in(text: str) -> set[str]:
    """Every CVE, CWE, CAPEC, ATT&CK and D3FEND id that `text` names, as entity ids."""
    found = (value.upper() for value in _ID.findall(text))
    return {f"{_PREFIXES.get(value[:3], 'attack')}:{value}" for value in found}


def same_key(row: InstructionRow, rewrite: str) -> bool:
    """Whether the rewrite ends with the template's key, value for value; the row's key where the template states none."""
    stated = final_keys(row.key_kind, row.answer) or row.answer_key
    return set(final_keys(row.key_kind, rewrite)) == set(stated)


def follows_steps(rewrite: str, steps: int) -> bool:
    """Whether there is a section for each step: numbers that count 1 to `steps`, or as many headings."""
    numbers = [int(number) for number in _SECTION.findall(rewrite)]
    counted = 0
    for number in numbers:
        counted += number == counted + 1
    return counted >= steps or len(_HEADING.findall(rewrite)) >= steps


def mentions_evidence(rewrite: str, row: InstructionRow) -> bool:
    """Whether the text speaks of its own making; phrases that the row uses itself are its subject."""
    own = {" ".join(found.lower().split()) for found in _MENTIONS.findall(f"{row.instruction}\n{row.answer}")}
    return any(" ".join(found.lower().split()) not in own for found in _MENTIONS.findall(rewrite))


def loops(text: str) -> bool:
    """Degenerate repetition: a line or sentence of some length three times, or fewer than 60 % different 4-grams."""
    sentences = [" ".join(piece.lower().split()) for piece in re.split(r"[\n.!?]+", text)]
    if any(count >= 3 for sentence, count in Counter(sentences).items() if len(sentence) > 20):
        return True
    spoken = text.lower().split()
    grams = list(zip(*(spoken[start:] for start in range(4)), strict=False))
    return len(grams) >= 30 and len(set(grams)) < 0.6 * len(grams)


def other_language(rewrite: str, answer: str) -> bool:
    """Whether the rewrite left the answer's script, or its prose has hardly any English function word."""
    if _foreign_share(rewrite) > _foreign_share(answer) + 0.1:
        return True
    spoken = re.findall(r"[a-z]+", rewrite.lower())
    return len(spoken) >= 40 and sum(word in _FUNCTION_WORDS for word in spoken) < 0.05 * len(spoken)


def _foreign_share(text: str) -> float:
    letters = [character for character in text if character.isalpha()]
    return sum(ord(letter) > 0x24F for letter in letters) / len(letters) if letters else 0.0
