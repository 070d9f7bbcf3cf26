"""All tasks with their formats: what is approved, what has been tried, what came of it."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from stages.review.schema import TaskCard
from stages.review.web.render import page


def overview(request: Request) -> Response:
    """`?q=words&status=...`: tasks that hold every word, of that status."""
    cards = sorted(request.app.state.desk.bench.tasks(), key=lambda card: not card.rows)  # what can be tried comes first
    asked = {"q": request.query_params.get("q", "")[:200], "status": request.query_params.get("status", "")}
    shown = [card for card in cards if _matches(card, asked["q"]) and _has_status(card, asked["status"])]
    return page(request, "overview.html", here="tasks", cards=cards, shown=shown, asked=asked, counts=_counts(cards))


def _matches(card: TaskCard, words: str) -> bool:
    text = f"{card.task} {card.family} {card.kind} {card.status or 'no format'}".lower()
    return all(word in text for word in words.lower().split())


def _has_status(card: TaskCard, status: str) -> bool:
    return {
        "approved": card.status == "approved",
        "draft": card.status == "draft",
        "none": not card.status,
        "findings": card.findings > 0,
        "untried": card.rows > 0 and card.runs == 0,
        "absent": card.rows == 0,
    }.get(status, True)


def _counts(cards: Sequence[TaskCard]) -> dict[str, int]:
    return {
        "approved": sum(card.status == "approved" for card in cards),
        "draft": sum(card.status == "draft" for card in cards),
        "none": sum(not card.status for card in cards),
        "present": sum(card.rows > 0 for card in cards),
        "rows": sum(card.rows for card in cards),
        "runs": sum(card.runs for card in cards),
        "read": sum(bool(card.agreement and card.agreement.get("pairs")) for card in cards),
    }
