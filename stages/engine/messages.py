"""What the processes of a Ray run say to each other: msgpack of known types, so that no exception or object is unpickled.

Ray itself pickles the function of a row and what it refers to, between processes of this run only.
"""

import msgspec

from stages.errors import LLMError, SecForgeError
from stages.llm.client import Reply
from stages.llm.failures import CallFailed
from stages.llm.spool import Codec


class Stop(msgspec.Struct, frozen=True):
    """The stage cannot go on: the whole message of the error."""

    message: str


class Done(msgspec.Struct, frozen=True):
    """A row is done."""

    row: int  # its number
    result: bytes  # as the stage's codec encodes it
    fresh: bool  # whether it needed a call
    unparsed: list[str]  # purposes of replies that could not be read


ANSWERS: Codec[Reply | Stop] = Codec(Reply, Stop)
OUTCOMES: Codec[Done | Stop] = Codec(Done, Stop)


def stop_of(error: SecForgeError) -> Stop:
    """What other processes are told of `error`."""
    return Stop(str(error))


def unwrap(answer: Reply | Stop | CallFailed) -> Reply:
    """The reply; raises what stands in its place."""
    if isinstance(answer, CallFailed):
        raise answer
    if isinstance(answer, Stop):
        raise LLMError(answer.message)
    return answer
