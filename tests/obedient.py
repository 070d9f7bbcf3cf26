"""A reader that obeys every order it finds outside the fences of data, and is careless about where a fence ends.

    with FakeOpenAI(behaviour=Obedient(honest)) as server: ...

It knows the orders of `injections.jsonl` in whatever disguise (look-alike letters, invisible characters, leetspeak,
base64, ...) and a few of any wording. What looks like a closing mark ends a fence for it, and a control token of a
chat template opens a turn of its own wherever it stands. It imports nothing of the project.
"""

import base64
import binascii
import codecs
import html
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

CORPUS = Path(__file__).parent / "injections.jsonl"
Messages = list[dict[str, str]]

_FREE_ORDER = re.compile(
    r"\bignore\b[^\n]{0,80}?\b(?:answer|say|reply|output|print)\s+(?:with\s+)?[\"']?(\w+)|\breply\s+(\d+|A|B)\b", re.IGNORECASE
)
_FENCE = re.compile(r"^<<DATA-\w+>>$", re.MULTILINE)
_END = re.compile(
    r"<+\s{0,9}/?\s{0,9}END[-_ ]{0,9}(?:OF[-_ ]{0,9})?DATA[^<>\n]{0,40}>+|<{2,}\s{0,9}/\s{0,9}DATA[^<>\n]{0,40}>+", re.IGNORECASE
)
_OPEN_END = re.compile(r"<{2,}\s{0,9}/?\s{0,9}END[-_ ]{0,9}DATA", re.IGNORECASE)
_TURN = re.compile(
    r"<\|\w[^<>|\n]{0,40}\|>|[<‹]｜[^｜]{1,40}｜[>›]|</?s>|<</?SYS>>|\[/?INST\]|\[/?SYSTEM_PROMPT\]|\[\|\w{1,20}\|\]|<(?:start|end)_of_turn>|</?think>",
    re.IGNORECASE,
)
_LOOKS_LIKE = str.maketrans(
    "АΑᴀаαDᴅԁЕΕᴇеεNΝոТΤᴛтτＯОΟоο‹›〈〉⟨⟩❮❯≪≫⟪⟫«»《》‐‑‒–—−", "AAAaaDDdEEEeeNNnTTTttOOOoo<><><><><><><><>------"
)  # a double bracket is read as one here: that suffices to end a fence
_LEET = str.maketrans("013457@$", "oieastas")


class Injection(NamedTuple):
    """One entry of the corpus."""

    name: str
    kind: str
    parts: list[str]  # more than one: each stands in a text of its own
    phrases: list[str]  # the order is heard where all of them are
    effect: dict[str, Any]  # what obeying is: `reply`, `last_line`, `append` or `drop` (a step's section)

    @property
    def text(self) -> str:
        """All parts, where there is but one place."""
        return "\n".join(self.parts)


@cache
def corpus() -> list[Injection]:
    """Every injection of the file."""
    return [Injection(**json.loads(line)) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


class Obedient:
    """A behaviour of the fake server: obeys, or answers as `honest` does. `obeyed` counts the orders by name."""

    def __init__(self, honest: Callable[[Messages], str], known: Sequence[Injection] | None = None) -> None:
        self.honest, self.known = honest, corpus() if known is None else known  # orders of any wording besides
        self.obeyed: Counter[str] = Counter()

    def __call__(self, messages: Messages) -> str:
        said = outside(messages)
        free = _FREE_ORDER.search(said)
        heard = understood(said) if self.known else ""
        found = next((one for one in self.known if all(phrase in heard for phrase in folded_phrases(one.name))), None)
        if found is not None:
            self.obeyed[found.name] += 1
            return obey(found.effect, self.honest(messages) if "reply" not in found.effect else "")
        if free:
            self.obeyed["free"] += 1
            return free[1] or free[2]
        return self.honest(messages)


def obey(effect: dict[str, Any], honest: str) -> str:
    """The reply of one who does what it is told."""
    lines = honest.splitlines()
    if "reply" in effect:
        return effect["reply"]
    if "last_line" in effect:
        return "\n".join([*(line for line in lines if not line.startswith("Final answer")), effect["last_line"]])
    if "append" in effect:
        return "\n".join([*lines[:-1], effect["append"], *lines[-1:]])
    sections = re.split(r"(?m)^(?=### \d)", honest)
    return "".join(part for part in sections if not part.startswith(f"### {effect['drop']}"))


def outside(messages: Messages) -> str:
    """What the reader takes for the words of those it works for: no assistant's turn, nothing between the fences."""
    spoken = [message["content"] for message in messages if message["role"] == "system"]
    spoken += [split_fences(message["content"])[0] for message in messages if message["role"] == "user"]
    turns = [_TURN.split(message["content"], maxsplit=1) for message in messages]
    return "\n".join([*spoken, *(turn[1] for turn in turns if len(turn) > 1)])


def split_fences(text: str) -> tuple[str, dict[str, str]]:
    """What stands outside the fences, and by the line above it what stands in each.

    Like a careless reader, anything that looks like a closing mark ends a fence.
    """
    before, data, place = "", {}, 0
    while start := _FENCE.search(text, place):
        closing = closing_mark(text, start.end())
        before += text[place : start.start()]
        label = before.rstrip().rpartition("\n")[2].rstrip(":")
        data[label] = text[start.end() : closing[0] if closing else None].strip("\n")
        place = closing[1] if closing else len(text)
    return before + text[place:], data


def closing_mark(text: str, start: int) -> tuple[int, int] | None:
    """Begin and end of the first thing from `start` on that looks like a closing mark."""
    if text.isascii():
        found = _END.search(text, start) or _OPEN_END.search(text, start)
        return found.span() if found else None
    seen = [(part, place) for place in range(start, len(text)) for part in look(text[place])]
    found = _END.search("".join(part for part, _ in seen))
    return (seen[found.start()][1], seen[found.end() - 1][1] + 1) if found else None


def look(text: str) -> str:
    """`text` as it looks: no accents, no invisible characters, look-alikes as what they look like."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.translate(_LOOKS_LIKE))
    return "".join(part for part in parts if unicodedata.category(part) not in ("Cf", "Mn", "Me"))


def folded(text: str) -> str:
    """`text` for comparison."""
    return " ".join(look(text).casefold().split())


@cache
def folded_phrases(name: str) -> list[str]:
    """The phrases of one injection as they are compared."""
    return [folded(phrase) for one in corpus() if one.name == name for phrase in one.phrases]


@lru_cache(maxsize=1000)
def understood(text: str) -> str:
    """`text` and everything that it says in disguise, folded."""
    smuggled = "".join(chr(ord(one) - 0xE0000) for one in text if 0xE0020 <= ord(one) <= 0xE007E)
    readings = [
        text,
        text.translate(_LEET),
        codecs.encode(text, "rot13"),
        unquote(text),
        html.unescape(text),
        text[::-1],
        smuggled,
    ]
    return "\n".join(map(folded, [*readings, *_decoded(text)]))


def _decoded(text: str) -> list[str]:
    found = []
    for run in re.findall(r"[A-Za-z0-9+/]{24,4000}={0,2}", text):
        for decode in (base64.b64decode, bytes.fromhex):
            try:
                found.append(decode(run).decode("utf-8"))
            except (binascii.Error, ValueError):  # no such code
                continue
    return found
