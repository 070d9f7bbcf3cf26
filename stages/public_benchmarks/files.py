"""Where a benchmark's file is: given by the user, made by this build, in the mirror folder, or downloaded; hash checked."""

from collections.abc import Iterable
from pathlib import Path

from stages.errors import InputError
from stages.fetch import Pin, fetch
from stages.public_benchmarks.declarations import Declaration, Graph
from stages.runtime import RuntimeParams
from stages.tables import file_sha256


def benchmark_file(benchmark: Declaration, given: Path | None, runtime: RuntimeParams) -> Path:
    """The file to read. A given one is taken as it is; any other has the declared hash. Raises InputError or FetchError."""
    if given is not None:
        if not given.is_file():
            found = "is no file" if given.exists() else "does not exist"
            raise InputError(f"{given} {found}.", remedy=f"{benchmark.name} is published at {benchmark.url}")
        return given
    if benchmark.local:
        path = Path(benchmark.local)
        if not path.is_file():
            raise InputError(
                f"{path} does not exist.", remedy="Run `dvc repro benchmarks`, or name the file with --benchmark-file."
            )
        return path
    if not benchmark.sha256:
        raise InputError(
            f"No hash is pinned for {benchmark.name}: the file cannot be fetched and trusted.",
            remedy=f"Download {benchmark.url} and name it with --benchmark-file.",
        )
    kind = "url" if benchmark.direct else "mirror"
    pin = Pin(kind=kind, url=benchmark.url, path=benchmark.mirror, sha256=benchmark.sha256)
    return fetch({benchmark.name: pin}, runtime)[benchmark.name]


def refuse_overwriting(written: Path | None, inputs: Iterable[Path | None]) -> None:
    """Raise InputError if a file that is to be written is one that is read."""
    for path in inputs:
        if written is not None and path is not None and written.resolve() == path.resolve():
            raise InputError(f"{written} is read: the report would overwrite it.", remedy="Name another file.")


def graph_file(graph: Graph, given: Path | None, runtime: RuntimeParams) -> Path:
    """The file of actor graphs: given, or in the mirror folder."""
    if given is not None:
        return given
    return fetch({"graph": Pin(kind="mirror", path=graph.mirror, sha256=graph.sha256)}, runtime)["graph"]


def as_declared(path: Path, benchmark: Declaration) -> bool | None:
    """Whether `path` is the publisher's file, byte by byte; None where no hash is pinned."""
    return file_sha256(path) == benchmark.sha256 if benchmark.sha256 else None


def shots_file(benchmark: Declaration, given: Path | None, runtime: RuntimeParams) -> Path | None:
    """The file of examples: given, or the declared one in the mirror folder; None where the benchmark has none."""
    if given is not None or not benchmark.shots_file:
        return given
    return fetch({"shots": Pin(kind="mirror", path=benchmark.shots_file, sha256=benchmark.shots_sha256)}, runtime)["shots"]
