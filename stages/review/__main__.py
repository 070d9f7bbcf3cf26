"""The review page: try reasoning formats on real rows, edit them, approve them. A local page, for this machine only."""

import argparse
import sys


def main() -> None:
    """Entry of `python -m stages.review`; heavy imports wait until the arguments are read."""
    parser = argparse.ArgumentParser(prog="python -m stages.review", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of 127.0.0.1 (default: any free one)")
    parser.add_argument("--reviewer", default="", metavar="NAME", help="who signs (default: git's user.name)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    arguments = parser.parse_args()
    from stages.errors import SecForgeError

    try:
        from stages.review.web.serve import serve

        serve(arguments.port, arguments.reviewer, browser=not arguments.no_browser)
    except SecForgeError as error:
        sys.exit(f"[review] {error}")
    except KeyboardInterrupt:
        sys.exit("[review] stopped; everything is kept.")


if __name__ == "__main__":
    main()
