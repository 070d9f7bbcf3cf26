"""Measure this project beside its peers: `python -m tests.timings` lists the tables, `... llm_fixed bm25` runs some.

A timing is a module of this package with a function `main() -> None` that prints one table; its docstring's first
line is its description.
"""

import argparse
import importlib
import pkgutil
import sys

import tests.timings


def main() -> None:
    """List or run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="which to run; none: list them")
    chosen = parser.parse_args()
    found = sorted(module.name for module in pkgutil.iter_modules(tests.timings.__path__) if not module.name.startswith("_"))
    modules = {name: importlib.import_module(f"tests.timings.{name}") for name in found}
    runnable = {name: module for name, module in modules.items() if hasattr(module, "main")}
    unknown = sorted(set(chosen.names) - set(runnable))
    if unknown:
        sys.exit(f"no timing named {', '.join(unknown)}; there are: {', '.join(runnable)}")
    for name in chosen.names:
        runnable[name].main()
    if not chosen.names:
        for name, module in runnable.items():
            print(f"{name:20} {(module.__doc__ or '').splitlines()[0]}")


if __name__ == "__main__":
    main()
