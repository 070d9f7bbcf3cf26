"""Results on disk: every value comes back, in the order of the rows, and what is cut or damaged is not taken for a result."""

import asyncio
import pickle
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from stages.llm.failures import CallFailed
from stages.llm.rows import map_rows
from stages.llm.spool import Codec, Spool, read_frames
from stages.tables import Reject


class Made(msgspec.Struct, frozen=True):
    number: int
    counts: Counter[str]
    scores: list[float | None]


CODEC = Codec(Made, Reject)


def made(number: int) -> Made:
    return Made(number, Counter({"a": number}), [number / 7, None])


def spooled(path: Path, rows: int = 40) -> Spool:
    """Every third row is a reject, every tenth a failure; they finish in the opposite order."""

    async def worker(number: int) -> Made | Reject:
        await asyncio.sleep(0.002 * (rows - number) / rows)
        if number % 10 == 9:
            raise CallFailed("timeout", "slow")
        return Reject("test", str(number), "bad", "ü") if number % 3 == 0 else made(number)

    spool = Spool(path, CODEC, rows)
    found = asyncio.run(map_rows(range(rows), worker, concurrency=rows, label="test", spool=spool))
    assert found is spool
    return spool


def test_results_come_back_in_the_order_of_the_rows(tmp_path: Path) -> None:
    spool = spooled(tmp_path / "work" / "rows.spool")
    assert len(spool) == 40
    for number, result in enumerate(spool):
        if number % 10 == 9:
            assert isinstance(result, CallFailed) and (result.reason, result.detail) == ("timeout", "slow")
        else:
            assert result == (Reject("test", str(number), "bad", "ü") if number % 3 == 0 else made(number))
    assert isinstance(spool[1], Made) and isinstance(spool[1].counts, Counter)
    assert spool[1].counts["not there"] == 0
    assert [one.number for one in spool[1:3]] == [1, 2]


def test_what_is_done_can_be_read_beside_the_run_and_a_cut_frame_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.spool"
    spool = spooled(path)
    spool.close()
    whole = list(read_frames(path, CODEC))
    assert len(whole) == 40 and sorted(row for row, _ in whole) == list(range(40))
    data = path.read_bytes()
    path.write_bytes(data[:-5])
    assert len(list(read_frames(path, CODEC))) == 39
    path.write_bytes(data[:30] + bytes([data[30] ^ 1]) + data[31:])
    assert len(list(read_frames(path, CODEC))) < 3


def test_a_row_that_never_finished_is_a_failure_and_one_done_twice_has_one_result(tmp_path: Path) -> None:
    with_gap = Spool(tmp_path / "rows.spool", CODEC, 3)
    with_gap.put(1, made(1))
    with_gap.put_bytes(1, CODEC.encode(made(1)))
    assert with_gap[1] == made(1)
    assert isinstance(with_gap[0], CallFailed) and with_gap[0].reason == "stopped"


def test_a_foreign_type_is_refused_when_it_is_written() -> None:
    with pytest.raises((TypeError, ValueError)):
        CODEC.encode("text")  # type: ignore[arg-type]


def test_a_codec_can_be_sent_to_another_process_of_ours() -> None:
    assert pickle.loads(pickle.dumps(CODEC)).decode(CODEC.encode(made(3))) == made(3)  # noqa: S301
