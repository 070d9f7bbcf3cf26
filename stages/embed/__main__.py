"""Look after the vectors that are kept beside the response cache: `gc` removes those of encoders that are not the present one.

They can be made again. Vectors of texts that no build has any more stay: 768 bytes each.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ENCODER = Path("models/encoder")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 after a message."""
    parser = argparse.ArgumentParser(prog="python -m stages.embed", description=__doc__)
    parser.add_subparsers(dest="command", required=True).add_parser("gc")
    parser.parse_args(argv)
    from stages.errors import SecForgeError

    try:
        print(_collect())
        return 0
    except SecForgeError as error:
        print(f"[embed] {error}", file=sys.stderr)
        return 1


def _collect() -> str:
    from stages.config import load_section
    from stages.embed.cache import remove_others, vectors_file
    from stages.embed.encoders import MINILM, vectors_key
    from stages.runtime import RuntimeParams

    kept = vectors_key(ENCODER / MINILM, load_section("runtime", RuntimeParams))
    removed, left = remove_others(kept)
    return f"{vectors_file()}: {removed:,} vectors of other encoders removed, {left:,} left."


if __name__ == "__main__":
    sys.exit(main())
