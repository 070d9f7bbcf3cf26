"""Single records out of the build's tables, without reading a table whole."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.errors import InputError

Record = dict[str, Any]


def find(path: str, column: str, values: Iterable[str]) -> list[Record]:
    """Records of `path` whose `column` is one of `values`, in file order. Raises InputError if the table cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = sorted(set(values))
    if not wanted:
        return []
    try:
        return pq.read_table(path, filters=[(column, "in", wanted)]).to_pylist()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", remedy="Run `dvc repro`, which makes it.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} cannot be searched by {column}: {error}", remedy="Run `dvc repro`.") from error


def find_all(paths: Iterable[str], column: str, values: Iterable[str]) -> list[tuple[str, Record]]:
    """(path, record) of every table of `paths` that exists."""
    wanted = list(values)
    return [(path, record) for path in paths if Path(path).exists() for record in find(path, column, wanted)]


def column_of(path: str, key: str, value: str) -> dict[str, str]:
    """`key` -> `value` of all records whose value is not empty, without reading other columns."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=[key, value])
    return {name: one for name, one in zip(table[key].to_pylist(), table[value].to_pylist(), strict=True) if one}


def near_ids(path: str, wanted: str, most: int = 3) -> list[str]:
    """Ids of `path` that begin like `wanted`, or are spelled much like it."""
    import pyarrow.parquet as pq

    ids = sorted(pq.read_table(path, columns=["id"])["id"].to_pylist())
    beginning = [one for one in ids if one.startswith(wanted)] if wanted else []
    return beginning[:most] or difflib.get_close_matches(wanted, ids, most, 0.7)
