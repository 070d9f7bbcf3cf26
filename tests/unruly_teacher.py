"""A teacher that misbehaves in one way of a long list, drawn by the question: it changes keys, invents ids and drops facts.

FakeOpenAI(behaviour=Unruly())   # `done` counts by the name of what it did
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable

from tests import fake_teacher
from tests.obedient import Messages, split_fences

HONEST = 0.4  # share of rewrites
INVENTED = {  # one identifier that nothing has, as a model may write it
    "cve": "CVE-2099-12345", "cve-lower": "cve-2099-12345", "cve-hard-hyphen": "CVE‑2099‑12345", "cve-dash": "CVE–2099–12345",
    "cve-space": "CVE 2099-12345", "cve-invisible": "CVE-2099\u200b-12345", "cve-code": "`CVE-2099-12345`", "cve-soft": "CVE\u00ad-2099-12345",
    "cwe": "CWE-99999", "cwe-space": "CWE 99999", "cwe-joined": "CWE99999", "cwe-colon": "CWE: 99999", "cwe-id": "CWE ID 99999",
    "cwe-wide": "ＣＷＥ-99999", "cwe-number": "CWE #99999", "cwe-under": "CWE_99999", "capec": "CAPEC-99999", "capec-space": "CAPEC 99999",
    "technique": "T9999", "technique-lower": "t9999", "sub-technique": "T1059.999", "technique-bold": "**T9999**", "technique-link": "[T9999](x)",
    "technique-slash": "T1059/999", "technique-under": "_T9999_",
    "tactic": "TA9999", "group": "G9999", "software": "S9999", "mitigation": "M9999", "d3fend": "D3-ZZZZ", "d3fend-lower": "d3-zzzz",
    "cwe-type": "CWE-9999-type", "technique-based": "T9999-based", "cve-style": "CVE-2099-99999-style", "sub-technique-like": "T1059.999-like",
    "cwe-small-hyphen": "CWE‑5", "atlas": "AML.T9999", "analytic": "AN9999", "asset": "A9999", "control": "AC-99", "enhancement": "AC-2(11)",
}  # fmt: skip
OTHER = {"Yes": "No", "A": "B", "CWE-79": "CWE-89", "T1059": "T1068", "AC-2": "AC-3",
         "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}  # fmt: skip
Spoil = Callable[[str, str], str]  # text without its final line, final line


def _key(line: str) -> str:
    return line.removeprefix("Final answer: ")


SPOILT_KEYS: dict[str, Spoil] = {
    "key-flipped": lambda text, line: f"{text}\nFinal answer: {OTHER[_key(line)]}",
    "key-missing": lambda text, line: text,
    "key-twice": lambda text, line: f"{text}\n{line}\nFinal answer: {OTHER[_key(line)]}",
    "key-first-wrong": lambda text, line: f"{text}\nFinal answer: {OTHER[_key(line)]}\n{line}",
    "key-and-another": lambda text, line: f"{text}\n{line}, {OTHER[_key(line)]}",
    "key-or-another": lambda text, line: f"{text}\n{line} or {OTHER[_key(line)]}",
    "key-not": lambda text, line: f"{text}\nFinal answer: not {_key(line)}",
    "key-taken-back": lambda text, line: f"{text}\n{line}\nOn reflection it is {OTHER[_key(line)]}.",
    "key-in-prose": lambda text, line: f"{text}\nThe final answer is {_key(line)}.",
    "key-template": lambda text, line: f"{text}\nFinal answer: <key>",
}
SPOILT_FACTS: dict[str, Spoil] = {
    "facts-dropped": lambda text, line: f"{text[: len(text) // 3]}\n{line}",
    "fact-number": lambda text, line: f"{text}\nSome 73921 servers were hit.\n{line}",
    "evidence-named": lambda text, line: f"{text}\nThe provided evidence says so.\n{line}",
}


class Unruly:
    """The fake teacher for every other purpose."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def __call__(self, messages: Messages) -> str:
        if "who rewrites answers" not in messages[0]["content"]:
            return fake_teacher.behaviour(messages)
        outside, data = split_fences(messages[-1]["content"])
        text, line = self.honest(outside, data)
        ways = [*SPOILT_FACTS, *INVENTED, *(SPOILT_KEYS if line else ())]
        draw = int(hashlib.sha256(data["Question"].encode()).hexdigest()[:12], 16) / 16**12
        way = "honest" if draw < HONEST else ways[int((draw - HONEST) / (1 - HONEST) * len(ways))]
        self.done[way] += 1
        if way in INVENTED:
            return f"{text}\nA flaw like {INVENTED[way]} was seen before.\n{line}".strip()
        spoil = SPOILT_KEYS.get(way) or SPOILT_FACTS.get(way)
        return (spoil(text, line) if spoil else f"{text}\n{line}").strip()

    def honest(self, outside: str, data: dict[str, str]) -> tuple[str, str]:
        """All sentences of the original under the steps' headings, and the final line."""
        final = re.search(r"^- The last line is exactly: (.+)$", outside, re.MULTILINE)
        steps = re.findall(r"^\d+\. (.+)$", data["Steps"], re.MULTILINE)
        said = " ".join(one for one in data["Original answer"].splitlines() if not one.startswith("Final answer"))
        sentences = re.split(r"(?<=[.!?])\s+", said)
        parts = [
            f"### {n}. {' '.join(step.split()[:3])}\n{' '.join(sentences[n - 1 :: len(steps)])}"
            for n, step in enumerate(steps, 1)
        ]
        return "\n".join(parts), final[1] if final else ""
