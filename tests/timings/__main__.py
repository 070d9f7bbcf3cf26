"""Measure this project beside its peers: `python -m tests.timings NAME...` prints these tables, `all` every one, nothing lists them.

A timing is a module of this package with a function `main() -> None` that prints one table; its docstring's first
line is its description. Each runs in a process of its own, so that none warms another's caches; one that cannot run here
(no build, no mirror) says why, and the next one runs.
"""

import argparse
import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import tests.timings


def main() -> None:
    """List, run one here, or run several."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="which to run, or `all`; none: list them")
    names = parser.parse_args().names
    runnable = find_timings()
    unknown = sorted(set(names) - set(runnable) - {"all"})
    if unknown:
        sys.exit(f"no timing named {', '.join(unknown)}; there are: {', '.join(runnable)}")
    chosen = list(runnable) if "all" in names else names
    if not chosen:
        for name, module in runnable.items():
            print(f"{name:20} {(module.__doc__ or '').splitlines()[0]}")
    elif len(chosen) == 1:
        runnable[chosen[0]].main()
    else:
        failed = [name for name in chosen if subprocess.run([sys.executable, "-m", "tests.timings", name]).returncode]
        if failed:
            sys.exit(f"not measured: {', '.join(failed)}")


def find_timings() -> dict[str, ModuleType]:
    """The modules of this package that print a table, by name."""
    found = sorted(module.name for module in pkgutil.iter_modules(tests.timings.__path__) if not module.name.startswith("_"))
    modules = {name: importlib.import_module(f"tests.timings.{name}") for name in found}
    return {name: module for name, module in modules.items() if hasattr(module, "main")}


if __name__ == "__main__":
    main()
