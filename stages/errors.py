"""One error type for everything a user can mend: what was found, what was allowed, what to do next."""


class SecForgeError(Exception):
    """A failure with a remedy. Stages print it without a traceback and exit with 1.

    `found` names the file and the record; `remedy` is the next thing to type or to look at.
    """

    def __init__(self, found: str, *, allowed: str = "", remedy: str = "") -> None:
        self.found, self.allowed, self.remedy = found, allowed, remedy
        parts = [found, f"Allowed: {allowed}" if allowed else "", f"Remedy: {remedy}" if remedy else ""]
        super().__init__("\n  ".join(part for part in parts if part))


class ParamsError(SecForgeError):
    """`params.yaml` holds something that no stage reads, or lacks something that one needs."""


class InputError(SecForgeError):
    """A source, table or model that a stage reads is missing, damaged or of an unknown form."""


class FetchError(SecForgeError):
    """A pinned file could not be fetched, or is not the file that was pinned."""


class LLMError(SecForgeError):
    """A model endpoint cannot be used at all (no key, no route, budget spent)."""


class BusyError(SecForgeError):
    """Another process is writing the outputs of the same stage."""
