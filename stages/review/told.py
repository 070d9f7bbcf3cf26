"""What the bench knows, told in lines of text."""

import difflib

from stages.enrich.checks import CHECK_MEANINGS
from stages.enrich.format_figures import FormatFigures
from stages.review.printing import wrapped
from stages.review.schema import BlindPair, Decision, RowResult, Run, TaskCard, Usage, Version
from stages.tasks.schema import InstructionRow

CARD_HEAD = ["family", "task", "kind", "status", "rows", "versions", "runs", "tried", "acceptance", "read twice"]
VERSION_HEAD = ["version", "origin", "author", "created", "parent", "findings", "tried", "acceptance"]
RUN_HEAD = ["run", "version", "author", "created", "state", "rows", "cost", "error"]
DECISION_HEAD = ["version", "verdict", "reviewer", "created", "note"]
READABILITY = {
    "rewritten": "the rewrite is more readable in both orders",
    "original": "the original is more readable in both orders",
    "tie": "a tie",
    "inconsistent": "inconsistent: the same place was named in both orders",
    "": "not judged",
}


def card_line(card: TaskCard) -> list[str]:
    """One task."""
    status = "unreadable" if card.problem else card.status or "none"
    agreed = card.agreement or {}
    return [
        card.family or "-", card.task, card.kind or "-", status + (f", {card.findings} finding(s)" if card.findings else ""),
        f"{card.rows:,}", str(card.versions), str(card.runs), str(card.tried), acceptance(card.figures),
        f"{agreed['agreed']} of {agreed['pairs']} agreed" if agreed.get("pairs") else "-",
    ]  # fmt: skip


def version_line(version: Version, figures: FormatFigures) -> list[str]:
    """One version."""
    return [
        version.id, version.origin, version.author, version.created, version.parent or "-", str(len(version.findings)),
        str(figures.n), acceptance(figures),
    ]  # fmt: skip


def run_line(run: Run) -> list[str]:
    """One run; of an error its first line."""
    error = run.error.splitlines()[0] if run.error else ""
    rows = f"{run.done}/{run.total}"
    return [run.id, run.version_id, run.author, run.created, run.state, rows, cost(run.usage), error]


def decision_line(decision: Decision) -> list[str]:
    """One decision."""
    return [decision.version_id, decision.verdict, decision.reviewer, decision.created, decision.note]


def acceptance(figures: FormatFigures | None) -> str:
    """`65% (43%-82%)`, the interval of 95 %."""
    if figures is None or figures.acceptance is None:
        return "-"
    share = figures.acceptance
    return f"{share.value:.0%} ({share.low:.0%}-{share.high:.0%})"


def result(row: InstructionRow, one: RowResult) -> str:
    """One row: what was asked, what changed, and why it is kept or not."""
    verdict = f"not tried: {one.error}" if one.error else "kept" if one.kept else f"not kept: {', '.join(one.reasons)}"
    parts = [f"=== row {one.row_id}: {verdict}", wrapped(row.instruction)]
    parts += [f"  {place}. {found.passage_id} ({found.licence}, {found.uri})" for place, found in enumerate(one.evidence, 1)]
    if one.rewrite:
        parts.append(changes(row.answer, one.rewrite))
        parts += [check for check in _failed(one)]
        parts.append(judged(one))
    parts.append(f"  {cost(one.usage)}; {one.seconds:.1f} s")
    return "\n".join(parts) + "\n"


def changes(original: str, rewrite: str) -> str:
    """Unified diff of the original answer and its rewrite."""
    lines = difflib.unified_diff(original.splitlines(), rewrite.splitlines(), "original", "rewrite", lineterm="", n=100)
    return "\n".join(lines)


def _failed(one: RowResult) -> list[str]:
    passed = sum(check.passed for check in one.checks)
    lines = [f"checks: {passed} of {len(one.checks)} passed"]
    for check in one.checks:
        if not check.passed:
            words = "; ".join(f"«{word}»" for word in check.words)
            lines.append(f"  {check.name}: {CHECK_MEANINGS.get(check.name, '')} {words}".rstrip())
    return lines


def judged(one: RowResult) -> str:
    """The judge's word, in both orders."""
    if not one.readability and not any(one.places) and one.factuality is None:
        return "judge: not asked"
    first, second = (place or "unreadable" for place in one.places)
    facts = "unreadable" if one.factuality is None else f"{one.factuality} of 10"
    return f"judge: {READABILITY.get(one.readability, one.readability)} (original as A: {first}; rewrite as A: {second}); facts {facts}"


def cost(usage: Usage) -> str:
    """`7 calls (2 cached), 1,600 tokens, $0.0016`."""
    tokens = usage.prompt_tokens + usage.completion_tokens
    money = f", ${usage.usd:.4f}" if usage.usd else ""
    return f"{usage.calls} calls ({usage.cached} cached), {tokens:,} tokens{money}"


def run_end(run: Run, figures: FormatFigures) -> str:
    """The run as a whole, and the version over all rows it was tried on."""
    lines = [f"run {run.id}: {run.state}, {run.done} of {run.total} rows; {cost(run.usage)}"]
    if run.error:
        lines.append(wrapped(run.error))
    if run.calibration:
        examined = run.calibration
        passed = "passed" if examined.get("passed") else "did not pass, so no rewrite is kept on its word"
        lines.append(f"judge's examination: {examined.get('right')} of {examined.get('decisions')} right, {passed}")
    if figures.n:
        lines.append(
            f"version {run.version_id} over {figures.n} row(s): {acceptance(figures)} kept; judge {figures.wins} won, {figures.ties} "
            f"tied, {figures.losses} lost, {figures.inconsistent} inconsistent, {figures.unjudged} not judged"
        )
    return "\n".join(lines)


def pair(one: BlindPair) -> str:
    """What a reader sees, and nothing else."""
    return (
        f"=== {one.task}\n{wrapped(one.instruction)}\n\n--- original\n{wrapped(one.original)}\n\n"
        f"--- rewrite\n{wrapped(one.rewrite)}\n"
    )
