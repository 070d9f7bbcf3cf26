"""Deterministic checks of a rewrite: what code can decide is not asked of a judge. Each failed check is a reason."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from itertools import islice
from math import ceil, floor
from pathlib import Path

import msgspec

from stages.answers import final_keys
from stages.control_tokens import first_control_token, has_control_tokens
from stages.enrich.identifiers import ids_in, named_ids
from stages.enrich.params import Length
from stages.enrich.stated import unsupported_numbers, unsupported_quotes
from stages.formats.schema import Format
from stages.llm.fence import leaked_fences
from stages.llm.prompts import load_prompt
from stages.tasks.schema import InstructionRow

REWRITE_PROMPT = Path(__file__).parent / "prompts" / "rewrite.txt"
FORM = frozenset({"control-tokens", "fence-leaked", "loops", "truncated"})  # broken as text: another attempt may mend it

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
_FEWEST_FUNCTION_WORDS = 0.05  # of English prose; a text below it is word salad, code or another language
MOST_WORDS, LONGEST_WORD = 8, 160  # entries shown of one failed check, and characters of each


CHECK_MEANINGS = {  # of every reason, for people who read why a rewrite was not kept
    "empty": "The model wrote nothing.",
    "control-tokens": "The text holds a control token of a chat template, which a tokenizer may read as the end of a turn.",
    "fence-leaked": "The text repeats a mark that the prompt puts around data, so it is no longer an answer.",
    "other-language": "The text left the language of the answer, or is no English prose.",
    "loops": "The text repeats itself: a sentence three times, or mostly the same few words.",
    "too-short": "The text is much shorter than the original answer, so facts are missing.",
    "too-long": "The text is much longer than the original answer, so something was added.",
    "format-not-followed": "Some steps of the format have no section of their own, in their order.",
    "key-changed": "The last line does not state the answer that the original states, or another line states another one.",
    "text-below-answer": "Text stands below the line of the answer, where nothing may stand: it may take the answer back.",
    "unknown-id": "The text names an identifier that neither the graph of this build nor its row has: it is likely invented.",
    "unsupported-id": "The text names an identifier that neither the row nor its documents or evidence name.",
    "unsupported-number": "The text states a number, version, date or CVSS vector that stands in none of its sources.",
    "unsupported-quote": "The text quotes a name or a piece of code with words that stand in none of its sources.",
    "mentions-evidence": "The text speaks of its own making (the evidence, the original answer, the rules) instead of the subject.",
    "copies-example": "The text repeats a sentence of the worked example in the prompt.",
    "format-does-not-suit": "The teacher answered that the row's format cannot tell this answer (`enrich.adaptive`).",
    "truncated": "The text was cut at the most tokens that the model may write.",
    "less-readable": "The judge, asked in both orders, does not find the rewrite at least as readable as the original.",
    "not-factual": "The judge scores the facts of the rewrite, against the original answer, below the threshold.",
    "unsupported-claim": "The judge names a sentence that neither the row nor its documents or evidence support.",
    "judge-unparsed": "The judge's reply states no verdict that can be read.",
    "judge-not-calibrated": "The judge failed its examination on known pairs, so no rewrite is kept on its word.",
    "call-failed": "The model did not answer; the row keeps its original answer, and the next run asks again.",
}


class Known(msgspec.Struct, frozen=True):
    """What a rewrite may name: ids of the graph, the ids that its row, documents and evidence name, and the texts of these."""

    graph: Collection[str]
    here: Collection[str]
    texts: Sequence[str] = ()  # besides question and original answer


class CheckResult(msgspec.Struct, frozen=True):
    """One check of one rewrite, and what failed it: text as it stands in the rewrite, or one measured phrase."""

    name: str  # a key of CHECK_MEANINGS
    passed: bool
    words: list[str] = []  # at most MOST_WORDS entries of at most LONGEST_WORD characters; raw, hence hostile


def run_checks(row: InstructionRow, form: Format, rewrite: str, known: Known, length: Length) -> list[CheckResult]:
    """Every check of `rewrite` in a fixed order, with the words that failed it; of an empty text nothing more can be said."""
    if not rewrite.strip():
        return [check_result("empty", ["no word was written"])]
    words = prose_words(rewrite)
    least, most = length.shortest * prose_words(row.answer), length.longest * prose_words(row.answer) + length.allowance
    sources = [row.instruction, row.answer, *known.texts]
    named, own = named_ids(rewrite), ids_in(f"{row.instruction}\n{row.answer}")
    found = {
        "empty": [],
        "control-tokens": [first_control_token(rewrite)] if has_control_tokens(rewrite) else [],
        "fence-leaked": leaked_fences(rewrite),
        "other-language": other_language(rewrite, row.answer),
        "loops": loops(rewrite),
        "too-short": [f"{words} words, at least {ceil(least)}"] if words < least else [],
        "too-long": [f"{words} words, at most {floor(most)}"] if words > most else [],
        "format-not-followed": missing_steps(rewrite, len(form.steps)),
        "key-changed": changed_key(row, rewrite) if row.answer_key else [],
        "text-below-answer": text_below(row, rewrite) if row.answer_key else [],
        "unknown-id": [text for text, name in named if name not in known.graph and name not in own],
        "unsupported-id": [text for text, name in named if name in known.graph and name not in known.here],
        "unsupported-number": unsupported_numbers(rewrite, sources),
        "unsupported-quote": unsupported_quotes(rewrite, sources),
        "mentions-evidence": mentions_evidence(rewrite, row),
        "copies-example": copied_sentences(rewrite, row),
    }
    return [check_result(name, words) for name, words in found.items()]


def check_result(name: str, words: Sequence[str]) -> CheckResult:
    """A check that `words` failed; it passed if there are none. Words are told once, on one line, and bounded."""
    shown = dict.fromkeys(" ".join(text.split()) for text in words)
    return CheckResult(name, not words, [shorten(text) for text in islice(shown, MOST_WORDS)])


def shorten(text: str, length: int = LONGEST_WORD) -> str:
    """`text` within `length` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def copied_sentences(rewrite: str, row: InstructionRow) -> list[str]:
    """Sentences of the prompt's worked example that stand in the rewrite: a small teacher repeats what it was shown."""
    shown = [sentence for line in example_lines() for sentence in re.split(r"(?<=[.])\s+", line) if len(sentence.split()) >= 4]
    own = f"{row.instruction}\n{row.answer}"
    return [sentence for sentence in shown if sentence in rewrite and sentence not in own]


@cache
def example_lines() -> list[str]:
    """The prose of the worked example: no headings, no answer line."""
    answers = [text for role, text in load_prompt(REWRITE_PROMPT).turns if role == "assistant"]
    lines = [line for text in answers for line in text.splitlines()]
    return [line for line in lines if not line.startswith(("#", "Final answer"))]


def prose_words(text: str) -> int:
    """Words outside heading lines: headings alone say nothing."""
    return sum(len(line.split()) for line in text.splitlines() if not line.lstrip().startswith("#"))


def changed_key(row: InstructionRow, rewrite: str) -> list[str]:
    """What stands as the answer and what should, unless the rewrite ends with the template's key, value for value."""
    stated, found = stated_key(row), final_keys(row.key_kind, rewrite)
    if set(found) == set(stated):
        return other_keys(row.key_kind, rewrite, set(stated))
    wanted = ", ".join(stated)
    if found:
        return [f"Final answer: {', '.join(found)} instead of {wanted}"]
    lines = [line for line in rewrite.splitlines() if "final answer" in line.lower()]
    stands = f'"{shorten(lines[-1].strip(), 80)}"' if lines else "no final answer line"
    return [f'{stands} instead of "Final answer: {wanted}"']


def stated_key(row: InstructionRow) -> list[str]:
    """The key as the original answer states it; the row's where it states none."""
    return final_keys(row.key_kind, row.answer) or row.answer_key


def other_keys(kind: str, rewrite: str, stated: set[str]) -> list[str]:
    """Final lines that state another key than the last one."""
    lines, keys = _keyed_lines(kind, rewrite)
    return [line for line, found in zip(lines, keys, strict=True) if found and found != stated] if stated in keys else []


def text_below(row: InstructionRow, rewrite: str) -> list[str]:
    """The first line below the last one that states the template's key: it may take the answer back."""
    stated = set(stated_key(row))
    lines, keys = _keyed_lines(row.key_kind, rewrite)
    if stated not in keys or set(final_keys(row.key_kind, rewrite)) != stated:
        return []
    last = max(place for place, found in enumerate(keys) if found == stated)
    end = last + 1 if final_keys(row.key_kind, lines[last]) else last + 2  # the key may stand on the line below
    return lines[end:][:1]


def _keyed_lines(kind: str, rewrite: str) -> tuple[list[str], list[set[str]]]:
    """The lines that say something, and the key that each states, itself or with the line below it."""
    lines = [line for line in rewrite.splitlines() if any(map(str.isalnum, line))]
    pairs = [(line, f"{line}\n{below}") for line, below in zip(lines, [*lines[1:], ""], strict=True)]
    return lines, [set(final_keys(kind, line) or final_keys(kind, both)) for line, both in pairs]


def missing_steps(rewrite: str, steps: int) -> list[str]:
    """What keeps the rewrite from having a section for each step: numbers that count 1 to `steps`, or as many headings."""
    found, numbers = steps_found(rewrite, steps), _numbers(rewrite)
    if found >= steps:
        return []
    absent = [number for number in range(1, steps + 1) if number not in numbers]
    if not numbers:
        return [f"{found} headings for {steps} steps"] if found else [f"no section for any of the {steps} steps"]
    if not absent:
        return [f"the sections stand in the order {', '.join(map(str, numbers[:20]))}"]
    return [f"no section for step {', '.join(map(str, absent))}"]


def steps_found(rewrite: str, steps: int) -> int:
    """How many of `steps` have a section: numbers that count up from 1, or headings if there are more of these."""
    counted = 0
    for number in _numbers(rewrite):
        counted += number == counted + 1
    return min(steps, max(counted, len(_HEADING.findall(rewrite))))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in _SECTION.findall(text)]


def mentions_evidence(rewrite: str, row: InstructionRow) -> list[str]:
    """Phrases by which the text speaks of its own making; those that the row uses itself are its subject."""
    own = {" ".join(found.lower().split()) for found in _MENTIONS.findall(f"{row.instruction}\n{row.answer}")}
    return [found for found in _MENTIONS.findall(rewrite) if " ".join(found.lower().split()) not in own]


def loops(text: str) -> list[str]:
    """Degenerate repetition: a line or sentence of some length three times, or fewer than 60 % different 4-grams."""
    pieces = re.split(r"[\n.!?]+", text)
    sentences = Counter(" ".join(piece.lower().split()) for piece in pieces)
    repeated = {sentence for sentence, count in sentences.items() if count >= 3 and len(sentence) > 20}
    if repeated:
        first = {" ".join(piece.lower().split()): piece for piece in reversed(pieces)}
        return [first[sentence] for sentence in sentences if sentence in repeated]
    spoken = text.split()
    grams = list(zip(*([word.lower() for word in spoken[start:]] for start in range(4)), strict=False))
    if len(grams) < 30 or len(set(grams)) >= 0.6 * len(grams):
        return []
    ((most, _),) = Counter(grams).most_common(1)
    at = grams.index(most)
    return [" ".join(spoken[at : at + 4])]


def other_language(rewrite: str, answer: str) -> list[str]:
    """Words that left the answer's script; or the share of English function words, where prose has hardly any."""
    if _foreign_share(rewrite) > _foreign_share(answer) + 0.1:
        return [word for word in rewrite.split() if _foreign_share(word)]
    spoken = re.findall(r"[a-z]+", rewrite.lower())
    found = sum(word in _FUNCTION_WORDS for word in spoken)
    if len(spoken) < 40 or found >= _FEWEST_FUNCTION_WORDS * len(spoken):
        return []
    return [f"{found} of {len(spoken)} words are common English words, at least {ceil(_FEWEST_FUNCTION_WORDS * len(spoken))}"]


def _foreign_share(text: str) -> float:
    letters = [character for character in text if character.isalpha()]
    return sum(ord(letter) > 0x24F for letter in letters) / len(letters) if letters else 0.0
