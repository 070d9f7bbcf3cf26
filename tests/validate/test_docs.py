"""Data Docs of real results: nothing is fetched, nothing runs, nothing secret or hostile is on a page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stages.errors import InputError
from stages.tables import write_json
from stages.validate.checks import checks_of
from stages.validate.docs import main, read_results, write_site
from stages.validate.frames import row_frame, training_frame
from stages.validate.suites import SuiteResult, SuiteRunner
from tests.validate.samples import row
from tests.validate.test_credentials import FAKE

HOSTILE = "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)> and it was cut in the middle of a"


@pytest.fixture(scope="module")
def results() -> list[SuiteResult]:
    runner = SuiteRunner()
    rows = [
        row(1, id="whole"),
        row(2, id="<b>bold</b>", answer=HOSTILE),
        row(3, id="leak", licences=[], answer=f"It used {FAKE['github-token']} in the middle of a"),
    ]
    frame = row_frame(rows, {one.subject for one in rows}, {one.subject: "train" for one in rows})
    checked = runner.run("rows", "data/enrich/rows.parquet", frame, checks_of("rows", 0.15))
    return [checked, runner.run("dev", "data/validate/dev.parquet", training_frame([]), checks_of("dev", 0.15))]


class Fetching(HTMLParser):
    """What a browser would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        remote = [name for name, value in attrs if (value or "").startswith(("http", "//"))]
        if tag in ("script", "link", "img", "iframe", "object", "button") or remote:
            self.found.append(f"{tag} {attrs}")


def pages(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.html"))}


def test_a_site_of_every_suite_that_needs_no_network_and_runs_nothing(results: list[SuiteResult], tmp_path: Path) -> None:
    write_json(tmp_path / "checks.json", results)
    assert main([str(tmp_path / "site"), "--checks", str(tmp_path / "checks.json")]) == 0
    site = pages(tmp_path / "site")
    assert len(site) == 5 and {"index.html", "expectations/rows.html", "expectations/dev.html"} <= set(site)
    for name, page in site.items():
        assert "Content-Security-Policy" in page and "default-src 'none'" in page, name
        assert not Fetching(page).found and "url(" not in page, name
    linked = re.findall(r'href="([^"#]+)"', site["index.html"])
    assert len(linked) == 2 and all((tmp_path / "site" / one).is_file() for one in linked)
    assert {path.suffix for path in (tmp_path / "site").rglob("*") if path.is_file()} == {".html"}


def test_pages_show_what_failed_with_rows_and_remedy_but_no_secret_and_no_markup(
    results: list[SuiteResult], tmp_path: Path
) -> None:
    write_site(results, tmp_path / "site", "build")
    site = pages(tmp_path / "site")
    rows = next(page for name, page in site.items() if name.startswith("validations/rows"))
    index = site["index.html"]
    assert "leak" in rows and "middle of a" in rows and "Must have greater than or equal to" in rows
    assert "critical: ColumnValuesToBeInSet(is_licensed) of rows" in index and "a row without a licence cannot be used" in index
    for page in (rows, index):
        assert "&lt;b&gt;bold" in page and "<b>bold" not in page and "&lt;script&gt;" in page
        assert FAKE["github-token"][4:12] not in page and "[credential]" in page


def test_the_same_results_give_the_same_bytes_and_an_earlier_site_is_replaced(results: list[SuiteResult], tmp_path: Path) -> None:
    write_site(results, tmp_path / "site", "build")
    first = pages(tmp_path / "site")
    write_site(results, tmp_path / "site", "build")
    assert pages(tmp_path / "site") == first
    write_site(results[1:], tmp_path / "site", "build")
    assert "expectations/rows.html" not in pages(tmp_path / "site")


def test_a_folder_of_other_files_stays_and_missing_results_are_one_message(
    results: list[SuiteResult], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="other files"):
        write_site(results, tmp_path, "build")
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert main([str(tmp_path / "site"), "--checks", str(tmp_path / "none.json")]) == 2
    assert "dvc repro validate" in capsys.readouterr().err


def test_results_are_read_as_they_were_written(results: list[SuiteResult], tmp_path: Path) -> None:
    write_json(tmp_path / "checks.json", results)
    assert read_results(tmp_path / "checks.json") == results
