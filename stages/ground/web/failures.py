"""Why there is no answer: the one exception of this package that never leaves it."""

from stages.errors import SecForgeError


class Refused(Exception):
    """A search or a page that is not had, with a short stable reason that is counted.

    `final` says that asking again would give the same; `wait` are the seconds after which the server wants to be asked again.
    """

    def __init__(self, reason: str, *, final: bool = True, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.final, self.wait = reason, final, wait


class WebError(SecForgeError):
    """The web search cannot be used at all: no address, no key, or the provider refuses the key."""
