"""The page in a real browser: it fits a phone and a desktop, and text stands out from the paper in both colour schemes."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stages.report.core import build_page
from stages.report.params import ReportParams
from tests.report.sample import HOSTILE, enriched_row, task_format, write_metrics

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000", "--dump-dom")  # fmt: skip
PROBE = """<script>
for (const one of document.querySelectorAll('details')) one.open = true;
const style = getComputedStyle(document.body), box = document.documentElement;
document.body.dataset.seen = JSON.stringify({view: box.clientWidth, page: box.scrollWidth, ink: style.color, paper: style.backgroundColor});
</script></body>"""

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_is_legible(tmp_path: Path, width: int, dark: bool) -> None:
    seen = _look(tmp_path, width, dark)
    assert seen["page"] <= seen["view"], "the page scrolls sideways"
    assert _contrast(seen["ink"], seen["paper"]) >= 7  # WCAG 2.2, level AAA
    assert (_luminance(seen["paper"]) < 0.1) is dark


def _look(folder: Path, width: int, dark: bool) -> dict[str, object]:
    write_metrics(folder)
    rows = [enriched_row(1, rewrite=HOSTILE * 9), enriched_row(2, decision="rewritten", reasons=[], template_answer="x" * 400)]
    page, _ = build_page(folder, rows, [task_format("cve-to-cwe", "approved")], ReportParams())
    file = folder / "page.html"
    file.write_text(page.replace("</body>", PROBE), encoding="utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
    command = [
        str(CHROMIUM),
        *FLAGS,
        *scheme,
        f"--user-data-dir={folder / 'browser'}",
        f"--window-size={width},900",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'data-seen="([^"]+)"', done.stdout)
    assert found, done.stdout[-500:]
    return dict(json.loads(found[1].replace("&quot;", '"')))


def _contrast(ink: object, paper: object) -> float:
    light, dark = sorted((_luminance(ink), _luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: object) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", str(colour))[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
