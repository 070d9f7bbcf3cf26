"""Compare two builds for a pull request: `python -m stages.report compare REV REV [--markdown FILE]`.

REV is a commit, tag or branch whose build is committed, or `.`, the workspace, whose outputs are read and hashed as they lie.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stages.errors import SecForgeError
from stages.report.differences import (
    ABSENT,
    Change,
    ScoreChange,
    changed_params,
    changed_scores,
    changed_stages,
    changes,
    composition,
    cost,
    only_scores,
)
from stages.report.revisions import Revision
from stages.tables import write_text

ELSEWHERE = ("evaluate.scores.", "evaluate.comparisons.", "evaluate.retention.", "evaluate.by_")  # what the score table sums up
MOST = 40  # lines of one table of figures: a comment of a pull request holds 65,536 characters
LONGEST = 60  # characters of a value
CARE = (
    "A verdict needs an interval (95 %) without zero and, where answers are paired by item, McNemar's p below 0.05 after Holm's "
    "correction for all lines of the table. `unpaired` lines compare two scores whose answers are not both at hand: their intervals "
    "are wider, and wrong if the questions changed.",
    "Seconds and what was paid are those of the machine and run that wrote metrics/timings; answers from the cache cost nothing.",
)


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages.report compare", description=__doc__)
    parser.add_argument("first", help="the revision to compare with, such as main")
    parser.add_argument("second", help="the revision that is judged, such as HEAD, or `.`")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the comparison to FILE")
    options = parser.parse_args(arguments)
    try:
        text = compare(Revision(Path.cwd(), options.first), Revision(Path.cwd(), options.second))
    except SecForgeError as error:
        print(f"[report] {error}", file=sys.stderr)
        return 1
    if options.markdown:
        write_text(options.markdown, text)
        text = f"[report] wrote {options.markdown}"
    try:
        print(text, flush=True)
    except BrokenPipeError:  # of `| head`, which has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at its end
    return 0


def compare(first: Revision, second: Revision) -> str:
    """The comparison as Markdown; the same two revisions give the same text."""
    sections = [
        f"# {_text(first.shown)} → {_text(second.shown)}",
        _headline(first, second),
        _params(first, second),
        _stages(first, second),
        _scores(first, second),
        _composition(first, second),
        _cost(first, second),
        _figures(first, second),
        "\n".join(f"- {line}" for line in CARE),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _headline(first: Revision, second: Revision) -> str:
    if _same_answers(first, second):
        one, other = (build.metrics.get("evaluate", {}) for build in (first, second))
        found = sum(change.name.startswith(ELSEWHERE) for change in changes(one, other, "evaluate."))
        differ = (
            f"; {found:,} figures that evaluate makes of them differ: another scorer or other params made them, or a hand did"
        )
        return f"The answers of both builds are the same, byte for byte{differ if found else ''}."
    scores = changed_scores(first, second)
    said = []
    for verdict in ("better", "worse"):
        tests = [" ".join(one.test) for one in scores if one.verdict == verdict]
        said.append(f"**{verdict} on {len(tests)}**" + (f" ({'; '.join(tests)})" if tests else ""))
    return f"Of {len(scores)} scores that both have: {', '.join(said)}." if scores else "No score that both have."


def _same_answers(first: Revision, second: Revision) -> bool:
    return bool(first.answers_hash) and first.answers_hash == second.answers_hash


def _params(first: Revision, second: Revision) -> str:
    found, whole = changed_params(first, second)
    note = "" if whole else "\n\nToday's code does not read the params of one side: values as written, without defaults."
    lines = [[f"`{one.name}`", _value(one.first), _value(one.second)] for one in found]
    return (_table("Params", ["param", "first", "second"], lines) or "## Params\n\nThe same.") + note


def _stages(first: Revision, second: Revision) -> str:
    found = changed_stages(first, second)
    if not found:
        return "## Outputs\n\nAll outputs have the same bytes."
    return _table("Outputs with other bytes", ["stage", "outputs"], [[stage, ", ".join(paths)] for stage, paths in found.items()])


def _scores(first: Revision, second: Revision) -> str:
    """Nothing where the answers are the same: the headline says so."""
    if _same_answers(first, second):
        return ""
    found = changed_scores(first, second)
    differing = [one for one in found if not (one.paired and one.differing == 0)]
    lines = [
        [*one.test, "paired" if one.paired else "unpaired", str(one.n), f"{100 * one.first:.1f} → {100 * one.second:.1f}",
         f"{100 * one.value:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})", _p(one), one.verdict]
        for one in differing
    ]  # fmt: skip
    head = ["benchmark", "protocol", "system", "compared", "items", "accuracy, %", "difference in points", "p", "verdict"]
    parts = [_table("Scores", head, lines) or "## Scores"]
    if len(found) > len(differing):
        parts.append(f"{len(found) - len(differing)} more scores: every shared item is answered equally right or wrong.")
    parts += [f"Only {_text(name)} has {' '.join(test)}." for name, test in only_scores(first, second)]
    missing = [build.shown for build in (first, second) if found and not build.answers]
    parts += [f"The answers of {_text(name)} are neither in DVC's cache nor in a remote: unpaired." for name in missing]
    return "\n\n".join(parts)


def _composition(first: Revision, second: Revision) -> str:
    tables = []
    for column in ("family", "licence"):
        lines = [
            [_text(name), f"{one:,}", f"{other:,}", f"{other - one:+,}"]
            for name, one, other in composition(first, second, column)
            if one != other
        ]
        tables.append(_details(f"Composition: rows by {column}", [column, "first", "second", "change"], lines))
    return "\n\n".join(table for table in tables if table) or "## Composition\n\nThe same rows by family and licence."


def _cost(first: Revision, second: Revision) -> str:
    found = cost(first, second)
    if not found:
        return ""
    head = ["stage", *(key.replace("_", " ") for key in found[0][1])]
    lines = [[stage, *(_from_to(*pair) for pair in figures.values())] for stage, figures in found]
    return _table("Calls to models", head, lines)


def _figures(first: Revision, second: Revision) -> str:
    """The figures of every stage that differ, folded away."""
    tables, elsewhere = [], () if _same_answers(first, second) else ELSEWHERE
    for stage in sorted({*first.metrics, *second.metrics}):
        one, other = first.metrics.get(stage, {}), second.metrics.get(stage, {})
        found = [change for change in changes(one, other, f"{stage}.") if not change.name.startswith(elsewhere)]
        lines = [[f"`{change.name}`", _value(change.first), _value(change.second), _growth(change)] for change in found]
        tables.append(_details(f"Figures of {stage}", ["figure", "first", "second", "change"], lines))
    shown = [table for table in tables if table]
    return "\n\n".join(["## Figures", *shown]) if shown else "## Figures\n\nAll figures are the same."


def _growth(change: Change) -> str:
    numbers = [
        value for value in (change.first, change.second) if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    return f"{numbers[1] - numbers[0]:+,.6g}" if len(numbers) == 2 else ""


def _p(one: ScoreChange) -> str:
    return ABSENT if one.p is None else f"{one.p:.3g}"


def _from_to(first: Any, second: Any) -> str:
    return _value(first) if first == second else f"{_value(first)} → {_value(second)}"


def _value(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        text = str(value)
        return _text(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"


def _text(text: str) -> str:
    """`text` as plain words in a cell of a table: no markup, no new line."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return " ".join(text.split())


def _table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return f"## {title}\n\n" + "\n".join(_grid(head, lines)) if lines else ""


def _details(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table that is folded until a reader opens it."""
    if not lines:
        return ""
    more = f"\n\n… and {len(lines) - MOST:,} more" if len(lines) > MOST else ""
    body = "\n".join(_grid(head, lines[:MOST]))
    return f"<details><summary>{title}: {len(lines):,} differ</summary>\n\n{body}{more}\n\n</details>"


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    for line in (head, ["---"] * len(head), *lines):
        yield "| " + " | ".join(line) + " |"
