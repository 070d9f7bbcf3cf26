"""Small benchmark files of the published forms, with invented questions, and responses to them."""

import json
from pathlib import Path

MCQ = [
    ("Which control stops an unsigned program?", ["Audit", "Allow list", "Backup", "Banner"], "B"),
    ("Which record shows a login?", ["Event log", "Invoice", "Logo", "Poster"], "A"),
    ("Which of these is a hash?", ["DNS", "VPN", "SHA-256", "TLS"], "c"),
    ("Which port does HTTPS use?", ["22", "25", "80", "443"], "D"),
]
PROMPT = "Choose. The last line holds the letter alone."


def write_mcq(path: Path) -> Path:
    lines = ["URL\tQuestion\tOption A\tOption B\tOption C\tOption D\tPrompt\tGT"]
    lines += [
        "\t".join(["https://example.org", question, *options, f"{PROMPT} {question}", key]) for question, options, key in MCQ
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_open(path: Path, keys: list[str]) -> Path:
    lines = [
        "URL\tDescription\tPrompt\tGT",
        *(f"https://example.org\tFlaw {number}\tMap flaw {number}.\t{key}" for number, key in enumerate(keys, 1)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_blocks(path: Path, responses: list[str], first: int = 1) -> Path:
    path.write_text("".join(f"#####{number}#####\n{text}\n\n" for number, text in enumerate(responses, first)), encoding="utf-8")
    return path


def write_jsonl(path: Path, records: list[dict]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
