"""What a second `dvc repro` of the built graph costs, against the same graph with `true` for every command.

The peer has the same stages, edges and number of outputs, but no content: what is left is DVC's own work.
It needs a built workspace (`dvc repro`).

    python -m tests.timings pipe_noop
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_RATIO = 2.0
LIMIT_SECONDS = 5.0
RUNS = 3


def main() -> None:
    """Print ours, peer, limit and ratio. Exit 1 if the graph is not built, or over a limit."""
    if not (ROOT / "dvc.lock").exists():
        sys.exit("pipe_noop: there is no dvc.lock; run `dvc repro` first.")
    with tempfile.TemporaryDirectory() as folder:
        peer_root = Path(folder)
        make_peer(peer_root)
        ours, peer = noop_seconds(ROOT), noop_seconds(peer_root)
    limit = min(LIMIT_SECONDS, LIMIT_RATIO * peer)
    print(f"{'workload':<24}{'ours s':>9}{'peer s':>9}{'limit s':>9}{'ratio':>7}  (median of {RUNS})")
    print(f"{'dvc repro, no-op':<24}{ours:>9.2f}{peer:>9.2f}{limit:>9.2f}{ours / peer:>7.2f}")
    if ours > limit:
        sys.exit("pipe_noop: over the limit")


def make_peer(root: Path) -> None:
    """A built repository whose graph has the edges of ours and whose stages only make small files."""
    from ruamel.yaml import YAML

    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    (root / "input").write_text("x")
    with open(root / "dvc.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump({"stages": {name: _peer_stage(stage, stages) for name, stage in stages.items()}}, file)
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro", "-q"]):
        subprocess.run(_dvc(command), cwd=root, env=_environment(), check=True, capture_output=True)


def noop_seconds(root: Path) -> float:
    """Median wall time of `dvc repro`. Exits if it ran a stage, since then nothing was measured."""
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        done = subprocess.run(_dvc(["dvc", "repro"]), cwd=root, env=_environment(), check=True, capture_output=True, text=True)
        times.append(time.perf_counter() - started)
        if "Running stage" in done.stdout:
            sys.exit("pipe_noop: the graph was not built; it is now, so run this again.")
    return statistics.median(times[1:])


def _peer_stage(stage: dict[str, Any], stages: dict[str, Any]) -> dict[str, Any]:
    made = {path for other in stages.values() for path in _outputs(other)}
    outs = [_flat(path) for path in _outputs(stage)]
    deps = ["input", *(_flat(dep) for dep in stage["deps"] if dep in made)]
    return {"cmd": "true" if not outs else f"touch {' '.join(outs)}", "deps": deps, "outs": outs}


def _outputs(stage: dict[str, Any]) -> list[str]:
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def _flat(path: str) -> str:
    return path.replace("/", "--")


def _dvc(command: list[str]) -> list[str]:
    return [sys.executable, "-m", *command] if command[0] == "dvc" else command


def _environment() -> dict[str, str]:
    """With this interpreter's folder first on the path: the commands in dvc.yaml say `python`."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DVC_NO_ANALYTICS": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


if __name__ == "__main__":
    main()
