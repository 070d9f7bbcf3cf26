"""Results on disk as they finish, so that memory does not grow with the rows and anyone can look at what is done.

A file of frames in the order in which rows finished: 16 bytes (length, CRC-32 of the rest, number of the row), then
msgpack of [kind, value]. It is no checkpoint: a stage that starts again writes it anew, because the response cache
makes finished calls free and the file says nothing of params and prompts. A frame that is cut or damaged is no result.
"""

import os
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import msgspec

from stages.errors import InputError
from stages.llm.failures import CallFailed

Result = TypeVar("Result")
HEADER = struct.Struct("<IIQ")
NOWHERE = (1 << 64) - 1


class Codec(Generic[Result]):
    """Values of a few types as bytes and back. A CallFailed is always among them."""

    def __init__(self, *types: type[Result]) -> None:
        self.types = types
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_unknown)
        self._decoders = [msgspec.msgpack.Decoder(one, dec_hook=_counter) for one in types]

    def __reduce__(self) -> tuple[type["Codec"], tuple[type, ...]]:
        return Codec, self.types

    def encode(self, value: Result | CallFailed) -> bytes:
        """Raises TypeError for a value of another type."""
        if isinstance(value, CallFailed):
            return b"\xff" + self._encoder.encode([value.reason, value.detail])
        return bytes([self.types.index(type(value))]) + self._encoder.encode(value)

    def decode(self, data: bytes) -> Result | CallFailed:
        """What `encode` was given."""
        if data[0] == 0xFF:
            return CallFailed(*msgspec.msgpack.decode(data[1:]))
        return self._decoders[data[0]].decode(memoryview(data)[1:])


class Spool(Sequence[Result | CallFailed]):
    """The results of `rows` rows as a sequence in the order of the rows; each is read from the file when it is asked for."""

    def __init__(self, path: Path, codec: Codec[Result], rows: int) -> None:
        """`path` is written anew."""
        self.path, self.codec = path, codec
        self._places = array("Q", [NOWHERE]) * rows
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "w+b", buffering=1 << 16)  # noqa: SIM115 - open as long as results are read
        self._end = self._written = 0

    def put(self, row: int, result: Result | CallFailed) -> None:
        """Append the result of the row with this number."""
        self.put_bytes(row, self.codec.encode(result))

    def put_bytes(self, row: int, data: bytes) -> None:
        """The same, encoded already (by another process). A row that was done twice has its last result."""
        number = row.to_bytes(8, "little")
        with self._explained():
            self._file.write(HEADER.pack(len(data), zlib.crc32(data, zlib.crc32(number)), row))
            self._file.write(data)
        self._places[row] = self._end
        self._end += HEADER.size + len(data)

    def flush(self) -> None:
        """Let other processes see what is done."""
        with self._explained():
            self._file.flush()
        self._written = self._end

    def close(self) -> None:
        """Results cannot be read any more; the file stays."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, row: int) -> Result | CallFailed: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Result | CallFailed]: ...
    def __getitem__(self, row: int | slice) -> Any:
        if isinstance(row, slice):
            return [self[place] for place in range(*row.indices(len(self)))]
        place = self._places[row]
        if place == NOWHERE:
            return CallFailed("stopped")
        if self._written != self._end:
            self.flush()
        return self.codec.decode(self._frame(row % len(self), place))

    @property
    def missing(self) -> int:
        """How many rows have no result."""
        return self._places.count(NOWHERE)

    def _frame(self, row: int, place: int) -> bytes:
        """Raises InputError if the frame there is not the whole and unchanged one of this row."""
        with self._explained():
            header = os.pread(self._file.fileno(), HEADER.size, place)
            size, checksum, number = HEADER.unpack(header) if len(header) == HEADER.size else (0, 0, NOWHERE)
            data = os.pread(self._file.fileno(), size, place + HEADER.size) if number == row else b""
        if not data or zlib.crc32(data, zlib.crc32(row.to_bytes(8, "little"))) != checksum:
            raise InputError(
                f"{self.path}: the result of row {row:,} is damaged.",
                remedy="Run the same command again (finished calls are kept); if it stays, look after the disk.",
            )
        return data

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}.", remedy="Make room on the disk and run it again.") from error


def _unknown(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} cannot be spooled")


def _counter(wanted: type, value: Any) -> Any:
    """msgspec knows no Counter: its counts are a dict on the way."""
    if getattr(wanted, "__origin__", wanted) is Counter:
        return Counter(value)
    raise TypeError(f"{wanted} cannot be read from a spool")
