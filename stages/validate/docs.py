"""Write the Data Docs of the last build as a local site: `python -m stages.validate docs FOLDER`, then open FOLDER/index.html.

The pages are Great Expectations' own, made of `data/validate/checks.json`, which the stage writes also where a critical
check ends it. As the library makes them they fetch styles, scripts and pictures from six hosts and put values into the
page as they are. Here they need no network and run no script: a policy in each page forbids both, values are escaped,
credentials in them were replaced before they were written, and the styles are in the page. The index is a plain table
in place of the library's, which only scripts can show.
"""

import argparse
import html
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec

from stages.errors import InputError, SecForgeError
from stages.tables import file_sha256, write_text
from stages.validate.checks import Severity
from stages.validate.suites import CHECKS, SuiteResult, describe, render_site

MARK = '<meta name="generator" content="SecForge Data Docs">'
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = Path(__file__).with_name("docs.css")
# What would be fetched or run, the pictures among it, and the random ids of what a script would unfold.
_REMOTE = re.compile(r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<button\b.*?</button>|<style>\s*</style>", re.DOTALL)
_RANDOM = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_TIME = re.compile(
    r" / 1970-01-01T00:00:00Z|<tr>(?:(?!</tr>).)*?>Run Time<(?:(?!</tr>).)*?1970-01-01T00:00:00Z.*?</tr>", re.DOTALL
)
_ADDRESS = re.compile(r"url\('https?://[^']*'\)")
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages.validate docs", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="new, empty, or of earlier Data Docs, which are replaced")
    parser.add_argument("--checks", type=Path, default=Path(CHECKS), metavar="FILE", help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        results = read_results(options.checks)
        write_site(results, options.folder, file_sha256(options.checks)[:12])
    except SecForgeError as error:
        print(f"[docs] {error}", file=sys.stderr)
        return 2
    print(f"[docs] {len(results)} suites: {options.folder / 'index.html'}")
    return 0


def read_results(path: Path) -> list[SuiteResult]:
    """What the suites found in the last build. Raises InputError if the file is missing or damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[SuiteResult])
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", remedy="`dvc repro validate` writes it.") from error


def write_site(results: Sequence[SuiteResult], folder: Path, run: str) -> None:
    """The same results give the same bytes. `run` names the build. Raises InputError rather than mix with other files."""
    index = folder / "index.html"
    if folder.exists() and any(folder.iterdir()) and not (index.is_file() and MARK in index.read_text(encoding="utf-8")):
        raise InputError(f"{folder} holds other files.", allowed="a new or an empty folder, or one of Data Docs")
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    pages = render_site(results, temporary, run)
    shutil.rmtree(temporary / "static", ignore_errors=True)
    for page in sorted(temporary.rglob("*.html")):
        write_text(page, _offline(page.read_text(encoding="utf-8")))
    write_text(temporary / "index.html", _index(results, pages, run))
    if folder.exists():
        shutil.rmtree(folder)
    temporary.rename(folder)


def _offline(page: str) -> str:
    """The library's page without all that a network or a script would have to bring."""
    bare = page
    for unwanted in (_REMOTE, _FOOTER, _RANDOM, _NO_TIME):
        bare = unwanted.sub("", bare)
    bare = _ADDRESS.sub("none", bare)
    return bare.replace("<head>", f"<head>{_head()}", 1)


def _index(results: Sequence[SuiteResult], pages: dict[str, str], run: str) -> str:
    head = "<tr><th>Table<th>File<th>Rows<th>Expectations<th>Failed, critical<th>Failed, warning</tr>"
    lines = [
        f'<tr><td><a href="{html.escape(pages[one.table])}">{html.escape(one.table)}</a><td>{html.escape(one.path)}<td>{one.rows:,}'
        f"<td>{len(one.outcomes)}<td>{_number(one, 'critical')}<td>{_number(one, 'warning')}</tr>"
        for one in results
    ]
    title = "Data Docs"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{_head()}<title>{title}</title></head><body><div class="container-fluid">\n'
        f"<h1>{title}</h1>\n<p>What the suites found in the tables of build {html.escape(run)}.</p>\n"
        f"<table>{head}\n" + "\n".join(lines) + f"\n</table>\n{_failures(results)}</div></body></html>\n"
    )


def _failures(results: Sequence[SuiteResult]) -> str:
    """What failed, critical first, with what to do and the first offending rows: the library's pages know no remedy."""
    failed = [(one, failure) for severity in get_args(Severity) for one in results for failure in one.failed(severity)]
    if not failed:
        return "<p>Nothing failed.</p>\n"
    told = "\n".join(
        f"<h2>{html.escape(failure.check.severity)}: {html.escape(failure.check.name)} of {html.escape(one.table)}</h2>\n"
        f"<pre>{html.escape(describe(one, failure).strip())}</pre>"
        for one, failure in failed
    )
    return f"{told}\n"


def _number(result: SuiteResult, severity: Severity) -> str:
    count = len(result.failed(severity))
    return f'<strong class="{"text-danger" if severity == "critical" else "text-warning"}">{count}</strong>' if count else "0"


def _head() -> str:
    style = _STYLE.read_text(encoding="utf-8")
    return f'<meta charset="UTF-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">{MARK}<style>\n{style}</style>'
