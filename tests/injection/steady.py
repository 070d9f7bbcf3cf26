"""A teacher and judge whose every answer follows from the number of the case alone, never from how its text is worded.

So two runs differ only where an order was obeyed. Cases are good and bad ones: some keep one query, some flip the
key, some lose facts, some are less readable.
"""

import re
from collections import defaultdict

from stages.enrich import claims_calibration
from stages.synthesize.evaluator import load_cases
from tests import fake_teacher
from tests.obedient import Messages, split_fences

KEYS = ("CWE-79", "CWE-89", "CWE-22")
HEADING = "### 1. What happens"
WRONG = "wrongfact"  # in a text that the judge of facts has to refuse
_CASE = re.compile(r"case(\d{4})")
_FENCED = re.compile(r"^([^\n]*):\n<<DATA-(\w+)>>\n(.*?)\n?<<END-DATA-\2>>$", re.MULTILINE | re.DOTALL)


class Steady:
    """`spoken`: what the teacher writes into its own text, by case: rewrites, drafts of formats, new pairs."""

    def __init__(self, spoken: dict[int, str] | None = None) -> None:
        self.spoken = spoken or {}
        self.added = [case.claim for case in claims_calibration.load_cases(0)]
        self.good = {case.question: case.good for case in load_cases(0)}

    def __call__(self, messages: Messages) -> str:
        system, user = messages[0]["content"], messages[-1]["content"]
        found = _CASE.findall(user)
        if not found:
            return self._examined(system, user)
        number = int(found[0])  # of the question, which stands first
        for words, answer in self._skills().items():
            if words in system:
                return answer(number, user)
        raise AssertionError(f"a prompt that this teacher does not know: {system[:200]}")

    def _skills(self) -> dict:
        return {
            "write search queries": self.queries,
            "which search queries": self.choose,
            "who rewrites answers": self.rewrite,
            "keeps the facts": self.factuality,
            "how readable": self.readability,
            "enough background": self.assess,
            "condense reference passages": self.condense,
            "rest on their sources": self.claims,
            "sort cybersecurity questions": self.label,
            "design reasoning formats": self.draft,
            "mend reasoning formats": self.mended,
            "write difficult questions": self.pair,
            "write questions for security analysts": self.pair,
            "check new questions": self.evaluate,
        }

    def _examined(self, system: str, user: str) -> str:
        """The hand-written cases of the calibrations."""
        outside, fenced = split_fences(user)
        data = defaultdict(str, fenced)
        if "check new questions" in system:
            good = next(good for question, good in self.good.items() if question in user)
            return f"1: yes\n2: yes\n3: {'yes' if good else 'no'}"
        if "rest on their sources" in system:
            claim = next((claim for claim in self.added if claim in user), None)
            lines = [line for line in data["Sentences"].splitlines() if claim and claim in line]
            return lines[0].split(".")[0] if lines else "none"
        return fake_teacher.factuality(outside, data) if "keeps the facts" in system else fake_teacher.readability(outside, data)

    def queries(self, number: int, user: str) -> str:
        if "Facts that are still missing" in user:
            return f"1. guide for module{number:04d} with frame{number:04d}"
        return f"1. module{number:04d} of case{number:04d} in unit{number:04d}\n2. frame{number:04d} for unit{number:04d} and case{number:04d}"

    def choose(self, number: int, _: str) -> str:
        return ("1, 2", "1, 2", "1", "2")[number % 4]

    def rewrite(self, number: int, _: str) -> str:
        key = "CWE-1" if number % 11 == 3 else KEYS[number % 3]
        return (
            f"{HEADING}\nIn case{number:04d} the module{number:04d} trusts its input.\n"
            f"### 2. The property that decides\nNothing confines the input before it is used. {self.spoken.get(number, '')}\n"
            f"### 3. Conclusion\nSo the flaw is a missing check of the input.\nFinal answer: {key}"
        )

    def factuality(self, number: int, user: str) -> str:
        return "2" if WRONG in user else "4" if number % 5 == 2 else "9"

    def readability(self, number: int, user: str) -> str:
        data = {label: text for label, _, text in _FENCED.findall(user)}
        first = HEADING in data.get("Answer A", "")
        return "A" if first != (number % 7 == 5) else "B"

    def assess(self, number: int, _: str) -> str:
        return f"missing: what module{number:04d} makes of frame{number:04d} by default" if number % 3 == 1 else "enough"

    def condense(self, number: int, _: str) -> str:
        return f"The module{number:04d} has a check in unit{number:04d}."

    def claims(self, number: int, _: str) -> str:
        return "2" if number % 13 == 6 else "none"

    def label(self, number: int, user: str) -> str:
        names = re.findall(r"^- ([a-z-]+):", user, re.MULTILINE)
        return names[number % len(names)]

    def draft(self, number: int, user: str) -> str:
        """Every third draft is one that must be mended."""
        if number % 3:
            return self.mended(number, user)
        return f"Introduction: About case{number:04d}. {self.spoken.get(number, '')}\nSteps:\n1. Only one step."

    def mended(self, number: int, _: str) -> str:
        return (
            f"Introduction: Answers about module{number:04d} name the finding and show why it holds.\nSteps:\n"
            "1. State what the question describes.\n2. Name the property that decides.\n3. Draw the conclusion.\n"
            "Rules:\n- Keep sentences short.\n- The conclusion equals the original answer's."
        )

    def pair(self, number: int, _: str) -> str:
        return (
            f"<question>Why can somebody outside steer what module{number:04d} of case{number:04d} does next?</question>\n"
            f"<answer>Because the module reads every frame and asks nobody who has sent it. {self.spoken.get(number, '')}</answer>"
        )

    def evaluate(self, number: int, _: str) -> str:
        return f"1: {'no' if number % 4 == 1 else 'yes'}\n2: yes\n3: yes"
