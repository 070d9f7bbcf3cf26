"""Templates to pages: everything is escaped, control characters are visible wherever a value stands, figures read well."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from stages.enrich.checks import CHECK_MEANINGS
from stages.review.web.text import checked_address, differences, plain_visible, visible


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page `template` with `values` and what every page shows: the reviewer, and a problem if there is one."""
    shared: Mapping[str, Any] = {"reviewer": request.app.state.desk.reviewer, "problem": None, "here": ""}
    return HTMLResponse(templates().get_template(template).render({**shared, **values}), status_code=status)


@cache
def templates() -> Environment:
    """The environment: a value that no filter has treated is plain text, safe in text and in attributes."""
    environment = Environment(
        loader=PackageLoader("stages.review.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain_visible(value) if type(value) is str else value,
    )
    environment.filters.update(
        visible=visible, editable=editable, address=checked_address, differences=differences, number=number, share=share,
        signed=signed, usd=usd, when=when, since=since, part=part, meaning=meaning,
        place=place,
    )  # fmt: skip
    return environment


def editable(text: str) -> Markup:
    """`text` as it is, for a field in which it will be edited; browsers drop the first newline of a text area."""
    return Markup("\n") + escape(text)


def part(text: str) -> Markup:
    """`text` as one segment of an address."""
    return Markup(quote(text, safe=""))


def number(value: Any) -> str:
    """A figure for people: thousands separated, three significant digits below 100, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, int) or (isinstance(value, float) and abs(value) >= 100):
        return f"{value:,.0f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def share(value: float | None) -> str:
    """A proportion as a percentage."""
    return "–" if value is None else f"{100 * value:.0f} %"


def signed(value: float, unit: str) -> str:
    """A difference with its sign: `+12 points` of a percentage, or `-0.4` and what it counts."""
    shown = f"{100 * value:+.0f}" if unit == "%" else f"{value:+.3g}"
    return ("0" if float(shown) == 0 else shown) + {"%": " points", "": ""}.get(unit, f" {unit}")


def usd(value: float | None) -> str:
    """Money; a dash where no price is known."""
    return "–" if value is None else f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def when(text: str) -> str:
    """An ISO 8601 moment to the minute."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return text


def since(start: str, end: str = "") -> str:
    """Time from `start` to `end` (now): `42 s`, `3 min 05 s`."""
    last = datetime.fromisoformat(end) if end else datetime.now(UTC)
    seconds = max(0, int((last - datetime.fromisoformat(start)).total_seconds()))
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02d} s"


def meaning(reason: str) -> str:
    """What a reason says to an expert; of `call-failed:timeout` the part before the colon decides."""
    return CHECK_MEANINGS.get(reason) or CHECK_MEANINGS.get(reason.partition(":")[0], "")


def place(named: str, first: str, second: str) -> str:
    """What the judge named in one order, where `first` stood in place A and `second` in B."""
    return {"A": first, "B": second, "tie": "a tie"}.get(named, "no readable verdict")
