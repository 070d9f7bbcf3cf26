"""What a browser sends us: urlencoded forms of a limited size, nothing else."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from starlette.requests import Request

from stages.errors import BusyError, InputError, SecForgeError

MAX_BYTES = 262_144  # a format is a page of text; the largest form holds one, twice encoded
MAX_FIELDS = 600  # rows that can be ticked, and some
URLENCODED = "application/x-www-form-urlencoded"


class TooLarge(SecForgeError):
    """A form larger than any that a page of ours sends."""


def status_of(error: SecForgeError) -> int:
    """The HTTP status of an error that the person at the page can mend."""
    return 413 if isinstance(error, TooLarge) else 409 if isinstance(error, BusyError) else 422


class Form:
    """The fields of a form, line ends as \\n."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self.fields = fields

    def one(self, name: str, default: str = "") -> str:
        """The last value of `name`."""
        return self.fields.get(name, [default])[-1]

    def many(self, name: str) -> list[str]:
        """All values of `name`, each once, in order."""
        return list(dict.fromkeys(self.fields.get(name, [])))

    def lines(self, name: str) -> list[str]:
        """Lines of a text area that are not blank, stripped."""
        return [line.strip() for line in self.one(name).splitlines() if line.strip()]

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return name in self.fields

    def number(self, name: str, allowed: range) -> int:
        """A whole number; InputError says which are allowed."""
        return whole_number(self.one(name), name, allowed)

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of `allowed`."""
        if self.one(name) not in allowed:
            raise InputError(f"The field `{name}` holds {self.one(name)[:80]!r}.", allowed=", ".join(allowed))
        return self.one(name)


def whole_number(text: str, name: str, allowed: range) -> int:
    """`text` as a number within `allowed`."""
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed:
        return int(text)
    raise InputError(f"The field `{name}` holds {text[:80]!r}.", allowed=f"a whole number from {allowed[0]} to {allowed[-1]}")


async def read_form(request: Request) -> Form:
    """The form that `request` carries. Raises TooLarge, or InputError for anything that is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != URLENCODED:
        raise InputError(f"The request carries {kind[:80] or 'no type'!r}.", allowed=URLENCODED)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise TooLarge(
                "The form is too large.",
                allowed=f"at most {MAX_BYTES:,} bytes",
                remedy="Go back and shorten the text; it is still in the form.",
            )
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError(f"The form cannot be read: {error}.", allowed=f"at most {MAX_FIELDS} fields of UTF-8 text") from error
    return Form({name: [value.replace("\r\n", "\n") for value in values] for name, values in fields.items()})
