"""What every stage does around its pure core: params, lock, tables, metrics, manifest, one summary line.

A stage's `__main__.py` reads inputs through the `Stage` it is given, calls its core and writes outputs
through it. The manifest is written last: its existence means that the outputs are whole.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO

import msgspec

from stages.config import PARAMS_FILE, Section, load_section
from stages.errors import SecForgeError
from stages.state import claim_work_dir, remove_work_dir, stage_lock, state_dir
from stages.tables import Reject, Row, content_id, file_sha256, read_rows, read_table, write_json, write_table

PIPELINE_FILE = Path("dvc.yaml")
SCRATCH = Path(".dvc/tmp")  # of this workspace, as its locks are


class Stage:
    """The surroundings of one run of stage `name`: paths are relative to the root of the repository."""

    def __init__(self, name: str, params_file: Path = PARAMS_FILE) -> None:
        self.name, self.params_file, self.started = name, params_file, time.perf_counter()
        self.config: dict[str, Any] = {}
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self._rejected: Counter[str] = Counter()
        self._work: tuple[Path, TextIO] | None = None
        self._scratch: list[Path] = []

    def section(self, name: str, section_type: type[Section]) -> Section:
        """A typed section of the params; all but `runtime` are recorded in the manifest."""
        section = load_section(name, section_type, self.params_file)
        if name != "runtime":
            self.config[name] = msgspec.to_builtins(section)
        return section

    def read(self, path: str, row_type: type[Row]) -> list[Row]:
        """Rows of an input table."""
        rows = read_table(path, row_type)
        self.inputs[path] = len(rows)
        return rows

    def stream(self, path: str, row_type: type[Row]) -> Iterator[Row]:
        """Rows of an input table that is read once: few of them in memory at a time."""
        self.inputs[path] = 0
        for row in read_rows(path, row_type):
            self.inputs[path] += 1
            yield row

    def write(self, path: str, rows: Iterable[Row], row_type: type[Row]) -> None:
        """Write an output table and record its row count and hash."""
        count = write_table(path, rows, row_type)
        self.outputs[path] = {"rows": count, "sha256": file_sha256(path)}

    def write_rejects(self, path: str, rejects: Iterable[Reject]) -> None:
        """Write the rejects table; the summary line counts its reasons."""
        kept = sorted(rejects, key=lambda reject: (reject.source, reject.reason, reject.record))
        self._rejected.update(reject.reason for reject in kept)
        self.write(path, kept, Reject)

    def record(self, path: str) -> None:
        """Name an output file that the core wrote itself (weights, a page) in the manifest."""
        self.outputs[path] = {"sha256": file_sha256(path)}

    def work(self, *inputs: str, resolved: Sequence[str] = ()) -> Path:
        """Folder of unfinished work, found again by a later run with equal params, code and input bytes.

        `resolved` names what the machine chose and the work depends on: device, dtype.
        """
        config = msgspec.json.encode(self.config, order="sorted").decode()
        fingerprint = content_id(config, *map(file_sha256, [*inputs, *_code_of(self.name)]), *resolved)
        if _is_first_process():
            self._work = claim_work_dir(self.name, fingerprint)
            return self._work[0]
        return state_dir() / "work" / f"{self.name}-{fingerprint}"

    def scratch(self, name: str) -> Path:
        """A file of this run in this workspace: `finish` removes it; that of a killed run stays until the next one."""
        self._scratch.append(SCRATCH / f"secforge-{self.name}-{name}")
        return self._scratch[-1]

    def metrics(self, values: Mapping[str, Any]) -> None:
        """Write `metrics/<stage>.json`: deterministic figures only."""
        write_json(f"metrics/{self.name}.json", values)

    def timings(self, values: Mapping[str, Any]) -> None:
        """Write `metrics/timings/<stage>.json`: figures of this machine, which never decide anything."""
        write_json(f"metrics/timings/{self.name}.json", values)

    def finish(self, came_in: Mapping[str, int], went_out: Mapping[str, int]) -> None:
        """Write the manifest, remove finished work and print the stage's one line."""
        write_json(f"data/{self.name}/manifest.json", {"stage": self.name, "config": self.config, "outputs": self.outputs})
        if self._work is not None:
            remove_work_dir(*self._work)
        for file in self._scratch:
            file.unlink(missing_ok=True)
        rejected = sum(self._rejected.values())
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self._rejected.most_common(4))
        print(
            f"[{self.name}] in: {_counts(came_in)} | out: {_counts(went_out)} | "
            f"rejected: {rejected:,}{f' ({reasons})' if reasons else ''} | {time.perf_counter() - self.started:.1f} s",
            flush=True,
        )


def stage_main(name: str, run: Callable[[Stage], None], description: str | None) -> None:
    """Entry of `python -m stages.<name>`: `--help` is instant, a SecForgeError is one message and exit 1."""
    parser = argparse.ArgumentParser(prog=f"python -m stages.{name}", description=description)
    parser.add_argument("--params", type=Path, default=PARAMS_FILE, help="the params file (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        with stage_lock(name) if _is_first_process() else nullcontext():
            run(Stage(name, arguments.params))
    except SecForgeError as error:
        sys.exit(f"[{name}] {error}")
    except KeyboardInterrupt:
        sys.exit(f"[{name}] stopped; finished work is kept, run the same command to go on.")


def _is_first_process() -> bool:
    """False in the helper processes of `accelerate launch`: they belong to the run that holds the lock."""
    return os.environ.get("RANK", "0") == "0"


def _code_of(stage: str) -> list[str]:
    """The files under `stages/` that dvc.yaml names as dependencies of `stage`: other code means other work."""
    from ruamel.yaml import YAML

    if not PIPELINE_FILE.exists():
        return []
    declared = YAML(typ="safe", pure=True).load(PIPELINE_FILE.read_text(encoding="utf-8"))["stages"][stage]["deps"]
    code = [Path(dep) for dep in declared if dep.startswith("stages/")]
    files = [file for path in code for file in (path.rglob("*") if path.is_dir() else [path])]
    return sorted(str(file) for file in files if file.is_file() and "__pycache__" not in file.parts)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items()) or "nothing"
