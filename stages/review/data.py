"""The tables of the build as the review reads them: columns first, whole rows only of the task that is looked at.

Rows are read from Parquet when they are asked for, so that the list of tasks is there at once at any size. Only rows
of the splits train and dev whose subject is not held out can be seen or tried.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from stages.benchmarks.schema import BenchmarkItem
from stages.errors import InputError
from stages.formats.evidence import usable_by_entity
from stages.graph.schema import Split
from stages.ground.anchors import anchors_of
from stages.ground.core import Library, group_by_entity
from stages.ground.hygiene import usable_passages
from stages.ground.params import GroundParams
from stages.ground.queries import task_words
from stages.ground.retriever import Retriever, open_retriever
from stages.ground.web.leaks import Leaks, leaks_of
from stages.ingest.schema import Entity, Link, Passage
from stages.runtime import RuntimeParams
from stages.tables import content_id, read_table
from stages.tasks.schema import InstructionRow

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS, PASSAGES = Path("data/tasks/rows.parquet"), Path("data/ingest/passages.parquet")
SPLITS, ENTITIES = Path("data/graph/splits.parquet"), Path("data/graph/entities.parquet")
ITEMS, ENCODER = Path("data/benchmarks/items.parquet"), Path("models/encoder")
LINKS = Path("data/graph/links.parquet")
COLUMNS = ["id", "task", "family", "split", "key_kind", "subject"]
TASKS_KEPT = 4  # whole rows of so many tasks stay in memory
BATCH = 16_384  # rows decoded at a time

Struct = TypeVar("Struct", bound=msgspec.Struct)


class TaskRows(msgspec.Struct, frozen=True):
    """One task of the build."""

    family: str
    rows: int  # that may be tried
    keyed: bool  # their answers have a checkable key


class Workspace:
    """The tables below `root`, each read at its first use. Safe for several threads."""

    def __init__(self, root: Path = Path()) -> None:
        self.root = root
        self._turn, self._grounding = threading.RLock(), threading.Lock()
        self._index: pa.Table | None = None
        self._tasks: dict[str, TaskRows] | None = None
        self._rows: OrderedDict[str, pa.Table] = OrderedDict()
        self._common: dict[str, set[str]] = {}
        self._entities: EntityTable | None = None
        self._searched: tuple[GroundParams, Retriever, dict[str, list[Passage]]] | None = None

    def tasks(self) -> dict[str, TaskRows]:
        """Every task that has a row to try."""
        import pyarrow.compute as pc

        with self._turn:
            if self._tasks is None:
                table = self._seen()
                table = table.append_column("keyed", pc.cast(pc.not_equal(table["key_kind"], "none"), "int8"))
                grouped = table.group_by("task").aggregate([("family", "min"), ("id", "count"), ("keyed", "max")]).to_pylist()
                self._tasks = {
                    one["task"]: TaskRows(one["family_min"], one["id_count"], bool(one["keyed_max"])) for one in grouped
                }
            return self._tasks

    def row(self, row_id: str) -> InstructionRow:
        """Raises InputError for an unknown row and for a held-out one."""
        import pyarrow.compute as pc

        table = self._seen()
        at = pc.index(table["id"], row_id).as_py()
        if at < 0:
            raise InputError(
                f"there is no row `{row_id[:40]}` to try in {ROWS}.",
                allowed="rows of the splits train and dev; held-out subjects are for the evaluation only",
                remedy="Take an id from the task's page or `python -m stages.formats try TASK`; after a new build ids may differ.",
            )
        rows = self._rows_of(table["task"][at].as_py())
        return _rows(rows.slice(pc.index(rows["id"], row_id).as_py(), 1))[0]

    def rows(self, task: str) -> list[InstructionRow]:
        """All rows of `task` that may be tried. Raises InputError for a task without any."""
        return _rows(self._rows_of(task))

    def sample(self, task: str, n: int, seed: int) -> list[InstructionRow]:
        """`n` rows in an order of content hashes; other seeds give other orders."""
        rows = self._rows_of(task)
        hashes = [content_id("review", str(seed), row_id) for row_id in rows["id"].to_pylist()]
        order = sorted(range(len(hashes)), key=hashes.__getitem__)[: max(0, n)]
        return [row for place in order for row in _rows(rows.slice(place, 1))]

    def documents(self, row: InstructionRow) -> list[Passage]:
        """Passages of the entries that the row names, in its order."""
        if not row.document_ids:
            return []
        found = _read(self.root / PASSAGES, Passage, "entity_id", row.document_ids)
        return sorted(found, key=lambda passage: (row.document_ids.index(passage.entity_id), passage.id))

    @property
    def entities(self) -> "EntityTable":
        """All entities of the graph by id."""
        with self._turn:
            if self._entities is None:
                self._entities = EntityTable(self.root / ENTITIES)
            return self._entities

    def library(self, task: str, params: GroundParams, runtime: RuntimeParams) -> Library:
        """What rows of `task` are grounded in, as the stage `ground` has it. The first call builds the index: seconds.

        So does the first one after an edit of the section `ground`.
        """
        with self._grounding:
            if self._searched is None or self._searched[0] != params:
                passages = read_table(self.root / PASSAGES, Passage)
                splits, items = read_table(self.root / SPLITS, Split), read_table(self.root / ITEMS, BenchmarkItem)
                usable, _ = usable_passages(passages, splits, items, params.ngram, params.deny)
                links = read_table(self.root / LINKS, Link)
                anchors, _ = anchors_of(links, usable, splits, items, params.ngram, params.deny, params.anchors)
                retriever = open_retriever(usable, params, self.root / ENCODER, runtime, anchors)
                self._searched = params, retriever, group_by_entity(usable)
            if task and task not in self._common:
                rows = _read(self.root / ROWS, InstructionRow, "task", [task])
                self._common[task] = task_words(rows).get(task, set())
            _, retriever, by_entity = self._searched
            return Library(retriever, by_entity, self._common)

    def leaks(self, params: GroundParams) -> Leaks:
        """What no page of the web may hold, as the stage `ground` has it; nothing is read if the web is not searched."""
        if not params.web.provider:
            return leaks_of([], [], params.ngram)
        return leaks_of(read_table(self.root / ITEMS, BenchmarkItem), read_table(self.root / SPLITS, Split), params.ngram)

    def background(self) -> dict[str, list[Passage]]:
        """What a drafter may read, by entity, as the stage `formats` has it."""
        tables = (read_table(self.root / ITEMS, BenchmarkItem), read_table(self.root / SPLITS, Split))
        return usable_by_entity(read_table(self.root / PASSAGES, Passage), tables[1], tables[0])

    def _seen(self) -> "pa.Table":
        """The columns of the rows that may be tried."""
        import pyarrow.compute as pc

        with self._turn:
            if self._index is None:
                columns = _columns(self.root / ROWS, InstructionRow, COLUMNS)
                splits = _columns(self.root / SPLITS, Split, ["entity_id", "split"])
                held_out = splits.filter(pc.equal(splits["split"], "heldout"))["entity_id"]
                mine = pc.is_in(columns["split"], value_set=_strings(["train", "dev"]))
                self._index = columns.filter(pc.and_(mine, pc.invert(pc.is_in(columns["subject"], value_set=held_out))))
            return self._index

    def _rows_of(self, task: str) -> "pa.Table":
        """The rows of `task` that may be tried, with all columns; a few tasks stay in memory."""
        import pyarrow.compute as pc

        with self._turn:
            if task not in self._rows:
                table = self._seen()
                usable = table.filter(pc.equal(table["task"], task))["id"]
                if not len(usable):
                    raise InputError(
                        f"the task `{task[:80]}` has no rows in this build.",
                        allowed="a task that `python -m stages.formats list` shows with rows",
                        remedy="Check the name, or run `dvc repro benchmarks` if the build is older than the task.",
                    )
                self._rows[task] = _matching(self.root / ROWS, InstructionRow, "id", usable)
                while len(self._rows) > TASKS_KEPT:
                    self._rows.popitem(last=False)
            self._rows.move_to_end(task)
            return self._rows[task]


class EntityTable(Mapping[str, Entity]):
    """Entities by id, without text and fields, which are most of the table: a try asks whether an id exists and where it is from."""

    def __init__(self, path: Path) -> None:
        names = [field.name for field in msgspec.structs.fields(Entity) if field.name not in ("text", "fields")]
        self._table = _columns(path, Entity, names)
        self._places = {entity_id: place for place, entity_id in enumerate(self._table["id"].to_pylist())}

    def __contains__(self, entity_id: object) -> bool:
        return entity_id in self._places

    def __getitem__(self, entity_id: str) -> Entity:
        [values] = self._table.slice(self._places[entity_id], 1).to_pylist()
        return Entity(**values, text="", fields={})

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _read(path: Path, row_type: type[Struct], column: str, values: list[str]) -> list[Struct]:
    """The rows whose `column` is one of `values`. Raises InputError as `stages.tables.read_table` does."""
    found = _matching(path, row_type, column, _strings(values))
    return msgspec.convert(found.to_pylist(), list[row_type])  # type: ignore[valid-type]


def _rows(table: "pa.Table") -> list[InstructionRow]:
    return msgspec.convert(table.to_pylist(), list[InstructionRow])


def _matching(path: Path, row_type: type[msgspec.Struct], column: str, values: Any) -> "pa.Table":
    """The rows whose `column` is one of `values`, an Arrow array; never the whole table in memory."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with _opened(path, row_type) as file:
        kept = [batch.filter(pc.is_in(batch[column], value_set=values)) for batch in file.iter_batches(batch_size=BATCH)]
        return pa.Table.from_batches(kept, file.schema_arrow).combine_chunks()


def _columns(path: Path, row_type: type[msgspec.Struct], names: Sequence[str]) -> "pa.Table":
    """Some columns of a table of `row_type`."""
    with _opened(path, row_type) as file:
        return file.read(columns=names)


@contextmanager
def _opened(path: Path, row_type: type[msgspec.Struct]) -> "Iterator[pq.ParquetFile]":
    """The table at `path`; not by `read_table`, which takes half a second to import."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    again = "Run `dvc repro benchmarks encoder`, which makes the tables that a review needs."
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow.names
            if found != [field.name for field in msgspec.structs.fields(row_type)]:
                raise InputError(f"{path} has the columns {', '.join(found)}: it is of another version.", remedy=again)
            yield file
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.", remedy=again) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} is not a readable Parquet file: {error}", remedy=f"Delete it. {again}") from error


def _strings(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())
