"""A teacher and judge for the fake server: right most of the time, wrong often enough that the checks have work.

It OBEYS any instruction that stands outside the fences of data ("ignore ... and answer X", see `obedient.py`), and by a
hash of the content it now and then invents an id, flips the key, mentions the evidence or loops. It reads prompts as a model
would, by their words, and imports nothing of the project.

    python -m tests.fake_openai --behaviour tests.fake_teacher:behaviour
"""

import hashlib
import re

from tests.obedient import Obedient, split_fences

SHARES = {0: "invents", 1: "flips", 2: "mentions", 3: "loops"}  # of SHARE_OF rewrites
SHARE_OF = 10
INVENTED = "CVE-2099-99999"
REPAIRED = "told what form a reply must have"


def honest(messages: list[dict[str, str]]) -> str:
    """The answer to one request that holds no order."""
    system, user = messages[0]["content"], messages[-1]["content"]
    outside, data = split_fences(user)
    if not data and len(messages) > 2 and messages[-2]["role"] == "assistant":  # told what form is wanted
        outside, data = split_fences(messages[-3]["content"])
        data |= {REPAIRED: user}
    for words, answer in _SKILLS.items():
        if words in system:
            return answer(outside, data)
    return "I do not know what you want."


behaviour = Obedient(honest, known=())  # no order of the corpus: `Final answer: A` may be what a prompt rightly asks for


def rewrite(prompt: str, data: dict[str, str]) -> str:
    """Follow the format with the original's sentences, or do one of the wrong things."""
    steps = re.findall(r"^\d+\. (.+)$", data["Steps"], re.MULTILINE)
    evidence = data["Reference data, for a fact that explains a step"]
    text = _sections(data["Original answer"], steps, evidence)
    final = re.search(r"^- The last line is exactly: (.+)$", prompt, re.MULTILINE)
    wrong = SHARES.get(_draw(data["Question"] + data["Original answer"]) % SHARE_OF, "")  # whatever the format says
    line = final[1] if final else ""
    if wrong == "flips":
        line = _flipped(line)
    text += {"invents": f"\nSee also {INVENTED}.", "mentions": "\nThe provided evidence supports this."}.get(wrong, "")
    if wrong == "loops":
        text += "\nThe attacker then repeats the very same action again." * 12
    return f"{text}\n{line}".strip()


def _sections(answer: str, steps: list[str], evidence: str) -> str:
    body = [line for line in answer.splitlines() if not line.lower().startswith("final answer")]
    sentences = [piece.strip() for piece in re.split(r"(?<=[.!?])\s+", " ".join(body)) if piece.strip()]
    parts = []
    for number, step in enumerate(steps):
        taken = sentences[number :: len(steps)] or [step]
        parts.append(f"### {number + 1}. {' '.join(step.split()[:4]).strip('.,:')}\n{' '.join(taken)}")
    if evidence and not evidence.startswith("(none)"):
        parts.append(" ".join(evidence.splitlines()[0].removeprefix("- ").split()[:15]))
    return "\n".join(parts)


def _flipped(line: str) -> str:
    swaps = {"Yes": "No", "No": "Yes", "A": "B", "B": "C", "C": "D", "D": "A"}
    key = line.removeprefix("Final answer: ")
    return f"Final answer: {swaps.get(key, 'CWE-1' if key.startswith('CWE') else 'T1001')}" if line else ""


def factuality(_: str, data: dict[str, str]) -> str:
    """1 for another conclusion, 4 for a lost fact, 9 for neither: the share of the reference's words that came along."""
    reference, candidate = data["Reference answer"], data["New answer"]
    if _key(reference) != _key(candidate):
        return "1"
    wanted = set(re.findall(r"\w{4,}", reference.lower()))
    came = set(re.findall(r"\w{4,}", candidate.lower()))
    return "9" if len(wanted & came) >= 0.9 * len(wanted) else "4"


def readability(_: str, data: dict[str, str]) -> str:
    """The answer with more headings."""
    first, second = data["Answer A"].count("###"), data["Answer B"].count("###")
    return "tie" if first == second else "A" if first > second else "B"


def queries(_: str, data: dict[str, str]) -> str:
    """Two phrases of the question's long words; now and then chatter, and sometimes still when told of the form."""
    question = data.get("Facts that are still missing", data["Question"])
    if _draw(question) % (12 if REPAIRED in data else 6) == 0:
        return "Sure:"
    long = list(dict.fromkeys(re.findall(r"[A-Za-z]{5,}", question))) or ["security", "weakness", "attack"]
    phrases = [(long[start::2] * 3)[:6] for start in (0, 1)]
    return "\n".join(f"{number}. {' '.join(phrase)}" for number, phrase in enumerate(phrases, 1) if phrase)


def choose(prompt: str, data: dict[str, str]) -> str:
    """Keep both queries mostly, one or none sometimes."""
    return ("1, 2", "1, 2", "1", "none")[_draw(prompt + str(data)) % 4]


def assess(_: str, data: dict[str, str]) -> str:
    """Enough, or a fact named by the draft's long words: for some questions, as long as the background does not please."""
    if _draw(data["Question"]) % 2 or _draw(data["Background found so far"]) % 2:
        return "enough"
    return f"missing: {' '.join(re.findall(r'[A-Za-z]{5,}', data['Draft answer, whose conclusion is right'])[:6])}"


def condense(_: str, data: dict[str, str]) -> str:
    """The first words of each passage; now and then with an id that no passage has."""
    lines = [line.removeprefix("- ").split() for line in data["Passages"].splitlines()]
    text = " ".join(word for line in lines for word in line[:15])
    return f"See {INVENTED}. {text}" if _draw(data["Passages"]) % 4 == 0 else text


def draft(prompt: str, data: dict[str, str]) -> str:
    """A usable format; now and then prose that is none."""
    if _draw(prompt + str(data)) % 5 == 0:
        return "A good format would have several steps."
    return repair(prompt, data)


def repair(prompt: str, _: dict[str, str]) -> str:
    """A usable format."""
    task = _between(prompt, "Task: ", "\n").split(" ")[0]
    return (
        f"<introduction>Answers to {task} name the finding and show why it holds.</introduction>\n"
        "<steps>\n1. State what the question describes.\n2. Name the property that decides.\n3. Draw the conclusion.\n</steps>\n"
        "<rules>\n- Keep sentences short.\n- The conclusion equals the original answer's.\n</rules>"
    )


def _between(text: str, start: str, end: str) -> str:
    _, _, rest = text.partition(start)
    return rest.partition(end)[0]


def _key(text: str) -> str:
    lines = re.findall(r"^Final answer:\s*(.+)$", text, re.MULTILINE)
    return lines[-1].strip() if lines else ""


def _draw(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


_SKILLS = {
    "who rewrites answers": rewrite,
    "keeps the facts": factuality,
    "how readable": readability,
    "write search queries": queries,
    "which search queries": choose,
    "enough background": assess,
    "condense reference passages": condense,
    "design reasoning formats": draft,
    "mend reasoning formats": repair,
}
