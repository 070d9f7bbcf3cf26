"""Results on disk: every value comes back, in the order of the rows, and what is cut or damaged is not taken for a result."""

import asyncio
import pickle
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from stages.errors import InputError
from stages.llm.failures import CallFailed
from stages.llm.rows import map_rows
from stages.llm.spool import Codec, Spool
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


def test_what_is_cut_or_damaged_on_the_disk_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "rows.spool"
    spool = Spool(path, CODEC, 4)
    for number in range(4):
        spool.put(number, made(number))
    spool.flush()
    data, frame = path.read_bytes(), path.stat().st_size // 4
    for place in (20, 0, 8):  # in the value, the length and the row's number of the second frame
        changed = bytearray(data)
        changed[frame + place] ^= 1
        path.write_bytes(changed[:-5])
        assert spool[0] == made(0) and spool[2] == made(2)
        for damaged in (1, 3, -1):
            with pytest.raises(InputError, match=rf"(?s)rows\.spool: the result of row {damaged % 4} is damaged.*again"):
                spool[damaged]


def test_a_full_disk_is_told_with_a_remedy_when_results_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    spool = Spool(tmp_path / "rows.spool", CODEC, 1)
    spool.put(0, made(0))
    monkeypatch.setattr(spool, "_file", Full())
    with pytest.raises(InputError, match=r"(?s)rows\.spool: No space left.*Make room"):
        spool[0]


def test_a_row_that_never_finished_is_a_failure_and_one_done_twice_has_one_result(tmp_path: Path) -> None:
    with_gap = Spool(tmp_path / "rows.spool", CODEC, 3)
    assert with_gap.missing == 3
    with_gap.put(1, made(1))
    with_gap.put_bytes(1, CODEC.encode(made(1)))
    assert with_gap[1] == made(1) and with_gap.missing == 2
    assert isinstance(with_gap[0], CallFailed) and with_gap[0].reason == "stopped"


def test_a_foreign_type_is_refused_when_it_is_written() -> None:
    with pytest.raises((TypeError, ValueError)):
        CODEC.encode("text")  # type: ignore[arg-type]


def test_a_codec_can_be_sent_to_another_process_of_ours() -> None:
    assert pickle.loads(pickle.dumps(CODEC)).decode(CODEC.encode(made(3))) == made(3)  # noqa: S301
