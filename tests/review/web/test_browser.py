"""The page in a real browser: a real server process, a real model server, an expert's whole way, and what it looks like."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from stages.formats.library import read_format
from tests import fake_teacher
from tests.fake_openai import FakeOpenAI
from tests.review.sample import CHOSEN, DOCUMENTED, HOSTILE_TASK, JUDGED, NEW_TASK, SEARCHED
from tests.review.web.process import Process, write_checkout

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WIDTHS = (1280, 768, 390)
WAIT = 30_000  # milliseconds
DRAFT = """<introduction>Answers name what a release does wrong and say why that matters to its owner.</introduction>
<steps>
1. State what the release does with its input.
2. Name the property of the code that makes this a flaw.
3. Explain what somebody could do with it.
4. Say what the owner should change first.
</steps>
<rules>
- The conclusion must equal the given answer; explain it, never change it.
- Keep every fact of the given answer and add none that you are not sure of.
- Do not mention sources, references, evidence or these rules; write as an expert who knows the matter.
</rules>"""
CONTRASTS = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = (colour) => 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest(":disabled, .hidden, dialog:not([open])")) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 7) found.push([Math.round(ratio * 100) / 100, element.tagName + "." + element.className, walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found;
}"""
SIDEWAYS = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 120))"""
UNLABELLED = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
  .filter((one) => !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute("aria-label"))
  .map((one) => one.outerHTML)"""

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


def behaviour(messages: list[dict[str, str]]) -> str:
    """The fake teacher, who writes a format that the lint lets pass."""
    if "reasoning formats" in messages[0]["content"]:
        return DRAFT
    return fake_teacher.behaviour(messages)


class World:
    """A checkout with its model server, and what the browser did that it should not."""

    def __init__(self, folder: Path, model: FakeOpenAI) -> None:
        self.folder, self.model = folder, model
        self.wrong: list[str] = []

    @contextmanager
    def visit(self, browser: Browser, process: Process, **options: object) -> Iterator[Page]:
        """A page of a new browser context that has entered by the printed address."""
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)  # type: ignore[arg-type]
        page = self._watched(context, process)
        page.goto(process.address)
        assert urlsplit(page.url).query == ""
        yield page
        context.close()

    def _watched(self, context: BrowserContext, process: Process) -> Page:
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.type}: {dialog.message}"), dialog.accept()))
        page.on("pageerror", lambda error: self.wrong.append(f"script error: {error}"))
        page.on("console", lambda said: self.wrong.append(said.text) if "Security Policy" in said.text else None)
        page.on(
            "request", lambda asked: None if asked.url.startswith(process.base) else self.wrong.append(f"request: {asked.url}")
        )
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium of the system."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh checkout; at its end nothing may have gone wrong in any page."""
    with FakeOpenAI(behaviour=behaviour, latency=0.02) as model:
        write_checkout(tmp_path, model.base_url)
        made = World(tmp_path, model)
        yield made
    assert made.wrong == []


def test_an_expert_drafts_tries_edits_approves_and_finds_everything_again(world: World, browser: Browser) -> None:
    note, file = "Read on all five rows; step 3 is new.", world.folder / f"stages/formats/library/{NEW_TASK}.yaml"
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.click(f"text={NEW_TASK}")
        page.click("text=Draft a format")
        page.wait_for_url(re.compile("version="))  # the script follows the draft
        assert "Name the property of the code" in main_text(page)
        first_run = run_of(page)
        page.click("text=Edit the format")
        steps = page.input_value("#steps")
        page.fill(
            "#steps", steps.replace("Explain what somebody could do with it.", "Explain which input an attacker would send.")
        )
        page.click("form.fields:has(#steps) >> text=Save as a new version")
        assert "Format, version 2" in main_text(page)
        assert page.locator("input[name=row]:checked").count() == 5  # the rows of the last try
        second_run = run_of(page)
        page.click("[data-key=c]")
        assert "5 rows tried with both" in main_text(page)
        assert "Explain which input an attacker would send." in page.inner_text("pre.diff")
        assert not file.exists()
        page.goto(second_run)
        page.click("text=Approve or reject it")
        page.fill("#note", note)
        page.click("button:has-text('Approve')")
        diff = page.inner_text("pre.diff")
        assert "+  - Explain which input an attacker would send." in diff and "+status: approved" in diff
        assert f"git add -- stages/formats/library/{NEW_TASK}.yaml" in main_text(page)
        process.stop(signal.SIGKILL)
    form = read_format(file)
    assert (form.status, form.reviewer, form.note, len(form.tried_on)) == ("approved", "Ada", note, 5)
    calls = world.model.calls
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.click(f"text={NEW_TASK}")
        shown = main_text(page)
        for expected in ("approved", note, "version 1", "version 2", "5 of 5", "Explain which input an attacker would send."):
            assert expected in shown
        for run in (first_run, second_run):
            page.goto(process.base + urlsplit(run).path)
            assert page.locator("article.row").count() == 5 and page.locator("ins").count() > 0
    assert world.model.calls == calls, "looking at what is kept asked the model"


def main_text(page: Page) -> str:
    """What the page says, once it is whole: a click comes back when the next page has begun."""
    page.wait_for_load_state()
    return page.inner_text("main")


def run_of(page: Page) -> str:
    """Try the version that the page shows on the ticked rows; the address of the finished run."""
    page.click("text=Try on the ticked rows")
    page.wait_for_url(re.compile("/runs/"))
    page.wait_for_selector("#progress .tag.good")
    page.wait_for_function("document.querySelectorAll('article.row[data-state=done]').length == 5")
    return page.url


def test_hostile_text_stays_text(world: World, browser: Browser, owned: Path) -> None:
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.goto(f"{process.base}/tasks/{HOSTILE_TASK}?size=10&seed=0")
        version = page.url
        page.click("text=Try on the ticked rows")
        page.wait_for_selector("#progress .tag.good")
        run = page.url
        for address in (version, run, f"{process.base}/reading", f"{process.base}/?q=<script>alert(1)</script>"):
            page.goto(address)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            page.wait_for_timeout(200)
            assert page.locator("main img, main iframe, main script, main [onerror]").count() == 0
            outside = page.evaluate(
                "[...document.querySelectorAll('main a')].map((a) => a.href).filter((a) => !a.startsWith(location.origin))"
            )
            assert all(re.fullmatch(r"https://[a-z.]+/[\w./:#-]*", address) for address in outside), outside
        page.goto(run)
        assert "<script>alert('row')</script>" in main_text(page) and "U+202E" in main_text(page)
    assert not owned.exists()


def test_a_killed_server_goes_on_where_it_was(world: World, browser: Browser) -> None:
    world.model.latency = 0.4
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.goto(f"{process.base}/tasks/{SEARCHED}?size=10&seed=0")
        page.click("text=Try on the ticked rows")
        page.wait_for_selector("article.row[data-state=done]")
        run = urlsplit(page.url).path
        process.stop(signal.SIGKILL)
        page.wait_for_selector("#lost:visible")
    world.model.latency = 0.02
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.goto(process.base + run)
        assert "interrupted" in page.inner_text("#progress")
        page.click("text=Go on with the rows that are missing")
        page.wait_for_selector("#progress .tag.good")
        assert "10 of 10 rows" in page.inner_text("#progress")


def test_a_run_can_be_stopped(world: World, browser: Browser) -> None:
    world.model.latency = 0.5
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.goto(f"{process.base}/tasks/{SEARCHED}?size=10&seed=0")
        page.click("text=Try on the ticked rows")
        page.click("text=Stop after the rows in progress")
        page.wait_for_selector("#progress .tag.warn")
        assert "interrupted" in page.inner_text("#progress")


def test_two_experts_on_two_tasks_and_a_blind_second_reading(world: World, browser: Browser) -> None:
    with (
        Process(world.folder) as ours,
        Process(world.folder, "--reviewer", "Grace Second") as theirs,
        world.visit(browser, ours) as ada,
        world.visit(browser, theirs) as grace,
    ):
        for page, process, task, said in ((ada, ours, CHOSEN, "Ada says it."), (grace, theirs, DOCUMENTED, "Grace says it.")):
            page.goto(f"{process.base}/tasks/{task}")
            page.fill("#introduction", said)
        for page in (ada, grace):
            page.click("form.fields:has(#steps) >> text=Save as a new version")
        for page in (ada, grace):
            page.click("text=Try on the ticked rows")
        for page in (ada, grace):
            page.wait_for_selector("#progress .tag.good")
        grace.goto(f"{theirs.base}/tasks/{CHOSEN}")
        assert "Ada says it." not in grace.inner_text("#format ~ p.text")  # the library's text is the present one
        assert "Ada" in grace.inner_text("table:has-text('origin')")
        read_blind(ada, ours, "accept", "the first reader's secret note")
        row = grace_reads_the_same(grace, theirs)
        grace.click("button:has-text('Reject')")
        grace.wait_for_selector("text=all tasks")
        assert row not in grace.inner_text("main")


def read_blind(page: Page, process: Process, verdict: str, note: str) -> None:
    page.goto(f"{process.base}/reading")
    page.fill("#note", note)
    page.click(f"button[value={verdict}]")
    page.wait_for_load_state()


def grace_reads_the_same(page: Page, process: Process) -> str:
    """The row that is offered: the one that has been read, with nothing of what was said of it."""
    page.goto(f"{process.base}/reading")
    shown = page.content()
    assert "secret note" not in shown and "Ada" not in shown and "accept the" not in shown
    return page.input_value("input[name=row]")


def test_by_keyboard_only(world: World, browser: Browser) -> None:
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("/")
        page.keyboard.type("technique-verdict")
        assert page.inner_text("#shown") == "1 shown"
        for key in ("Escape", "j", "Enter"):
            page.keyboard.press(key)
        page.wait_for_url(re.compile(JUDGED))
        for key in ("?", "Escape", "j", "j", "Space", "k", "t", "Enter"):
            page.keyboard.press(key)
        page.wait_for_selector("#progress .tag.good")
        assert "4 of 4 rows" in page.inner_text("#progress")
        page.keyboard.press("e")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("#edit"))
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("Typed without a mouse.")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent").startswith("Save"):
                break
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("#rows$"))
        assert "Typed without a mouse." in main_text(page)
        page.keyboard.press("a")
        assert page.evaluate("document.activeElement.value") == "approve"
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px", "the focus cannot be seen"


def test_typed_text_is_not_left_behind_unasked(world: World, browser: Browser) -> None:
    with Process(world.folder) as process, world.visit(browser, process) as page:
        page.goto(f"{process.base}/tasks/{SEARCHED}")
        page.click("#introduction")
        page.keyboard.type("half a sentence")
        page.goto(process.base)
        assert [one for one in world.wrong if one.startswith("dialog beforeunload")]
        world.wrong.clear()
        page.goto(f"{process.base}/tasks/{SEARCHED}")
        page.click("text=As YAML")
        page.fill("#yaml", "task: [")
        page.click("form:has(#yaml) >> text=Save as a new version")
        assert "line 1" in page.inner_text("[role=alert]")
        assert page.input_value("#yaml") == "task: ["
        page.fill("#yaml", "")
        page.goto(process.base)
        world.wrong.clear()


def test_without_scripts(world: World, browser: Browser) -> None:
    with Process(world.folder) as process, world.visit(browser, process, java_script_enabled=False) as page:
        page.fill("#q", "cwe")
        page.click("text=Show")
        page.click(f"text={DOCUMENTED}")
        page.fill("#introduction", "Written without scripts.")
        page.click("form.fields:has(#steps) >> text=Save as a new version")
        page.click("text=Try on the ticked rows")
        until = time.monotonic() + 60
        while "5 of 5 rows" not in page.inner_text("#progress") and time.monotonic() < until:
            page.reload()
        assert page.locator("article.row").count() == 5 and page.locator("ins").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_is_legible(world: World, browser: Browser, scheme: str) -> None:
    with Process(world.folder) as process, world.visit(browser, process, color_scheme=scheme) as page:
        addresses = prepared(page, process)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for name, address in addresses.items():
                page.goto(address)
                page.evaluate(
                    "for (const one of document.querySelectorAll('article details, .row.pick:nth-of-type(1) details')) one.open = true"
                )
                picture(page, f"{name}-{width}-{scheme}")
                seen = {
                    "sideways": page.evaluate(SIDEWAYS),
                    "pale": page.evaluate(CONTRASTS),
                    "unlabelled": page.evaluate(UNLABELLED),
                }
                assert not any(seen.values()), f"{name} at {width}, {scheme}: {seen}"
        assert page.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) < 60") is (
            scheme == "dark"
        )


def prepared(page: Page, process: Process) -> dict[str, str]:
    """Addresses of every kind of page, with something on each."""
    made = {"overview": f"{process.base}/", "reading": f"{process.base}/reading"}
    page.goto(f"{process.base}/tasks/{HOSTILE_TASK}")
    run_of(page)
    page.goto(f"{process.base}/tasks/{SEARCHED}")
    made["run"] = run_of(page)
    page.click("text=Edit the format")
    page.fill("#instructions", "Write short sentences.\nEnd with: Final answer: CWE-79")
    page.click("form.fields:has(#steps) >> text=Save as a new version")
    made["task"] = page.url.partition("#")[0]
    run_of(page)
    page.click("[data-key=c]")
    made["compare"] = page.url
    page.goto(f"{process.base}/tasks/{CHOSEN}")
    page.fill("#introduction", "Choose the weakness that explains what the release does with its input.")
    page.click("form.fields:has(#steps) >> text=Save as a new version")
    page.click("button:has-text('Approve')")
    return made | {"diff": page.url, "error": f"{process.base}/tasks/none"}


def picture(page: Page, name: str) -> None:
    """A screenshot for people, where SECFORGE_SHOTS names a folder."""
    if os.environ.get("SECFORGE_SHOTS"):
        page.screenshot(path=str(Path(os.environ["SECFORGE_SHOTS"]) / f"{name}.png"), full_page=True)
