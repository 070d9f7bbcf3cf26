"""The page: safe with hostile text, self-contained, honest about losses, whole without any figure."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from stages.errors import InputError
from stages.report.core import build_page, build_timings_page
from stages.report.page import METRICS
from stages.report.params import ReportParams
from tests.graph_reader import dvc_stages
from tests.report.sample import HOSTILE, difference, enriched_row, score, task_format, write_metrics
from tests.report.sample import METRICS as SAMPLE

VOID = {"meta", "img", "br", "path", "link"}


class Balanced(HTMLParser):
    """Collects tags and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def _page(root: Path, **changes: object) -> str:
    rows = [
        enriched_row(1),
        enriched_row(2, decision="rewritten", reasons=[], rewrite=HOSTILE, instruction=HOSTILE, template_answer=HOSTILE),
        enriched_row(3, decision="not-selected", reasons=[], rewrite=""),
    ]
    formats = [task_format("cve-to-cwe", "approved"), task_format(HOSTILE, "draft")]
    return build_page(root, rows, formats, ReportParams(**changes))[0]


def test_hostile_text_is_shown_and_never_interpreted(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    page = Balanced()
    text = _page(tmp_path)
    page.feed(text)
    assert not page.open
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "img", "link"}
    assert not [name for _, attributes in page.seen for name in attributes if name.startswith("on")]
    assert "{{ 7 * 7 }}" in text


def test_the_page_asks_the_network_for_nothing(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    text = _page(tmp_path)
    page = Balanced()
    page.feed(text)
    addresses = [
        value for _, attributes in page.seen for name, value in attributes.items() if name in ("src", "href", "srcset", "data")
    ]
    assert all(str(address).startswith("#") or address == "../../metrics/timings/report.html" for address in addresses)
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)


def test_a_build_without_any_figure_still_makes_a_page(tmp_path: Path) -> None:
    page, shown = build_page(tmp_path, [], [], ReportParams())
    assert page.count("not measured in this build") >= 6
    assert shown["examples"] == 0


def test_the_set_that_trains_is_shown_by_property(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    text = _page(tmp_path)
    assert text.index("Rows by year") < text.index(">2020<") < text.index(">2021<") < text.index("Rows by source")
    assert "<summary>Rows by task (50)</summary>" in text and "<summary>Rows by year" not in text


def test_links_of_the_navigation_lead_somewhere(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    text = _page(tmp_path)
    assert set(re.findall(r'href="#(\w+)"', text)) <= set(re.findall(r'id="(\w+)"', text))


def test_where_a_baseline_is_better_the_headline_says_so(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    text = _page(tmp_path)
    assert "the fine-tuned model beats the base model: +15.0 points, 90 % interval +4.0 to +26.0" in text
    assert "the best cheap baseline, TF-IDF + linear, is better than the fine-tuned model: -14.0 points" in text
    assert "did not pass, so its verdicts decide nothing" in text


def test_a_difference_whose_interval_holds_zero_is_no_gain(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    comparisons = {"secforge-rcm": {"generative": {"finetuned": {"base": difference(0.02, -0.03, 0.07)}}}}
    figures = {
        "scores": {"secforge-rcm": {"generative": {"base": score(0.2), "finetuned": score(0.22)}}},
        "comparisons": comparisons,
    }
    (tmp_path / "metrics" / "evaluate.json").write_text(json.dumps(figures))
    assert "does not beat the base model" in _page(tmp_path)


def test_long_answers_are_cut_and_say_so(tmp_path: Path) -> None:
    text = build_page(tmp_path, [enriched_row(1, rewrite="a" * 500)], [], ReportParams(excerpt=100))[0]
    assert "… (400 more characters)" in text


def test_examples_show_every_reason_before_any_twice(tmp_path: Path) -> None:
    rows = [enriched_row(number) for number in range(9)] + [
        enriched_row(20, reasons=["unknown-id"]),
        enriched_row(21, decision="rewritten", reasons=[]),
    ]
    text = build_page(tmp_path, rows, [], ReportParams(examples=3))[0]
    assert text.count('<article class="example">') == 3
    assert text.count('<span class="tag failed">unknown-id</span>') == text.count('<span class="tag kept">kept</span>') == 1


def test_the_page_is_made_of_declared_dependencies_alone(tmp_path: Path) -> None:
    declared = {dep for dep in dvc_stages()["report"]["deps"] if dep.startswith("metrics/") and dep.endswith(".json")}
    assert {f"metrics/{stage}.json" for stage in METRICS} == declared
    write_metrics(tmp_path)
    before = _page(tmp_path)
    (tmp_path / "metrics" / "timings" / "finetune.json").write_text('{"tokens_per_second": 1}')
    (tmp_path / "metrics" / "other.json").write_text('{"figure": 1}')
    assert _page(tmp_path) == before


def test_every_interval_names_the_confidence_of_the_build(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    text = _page(tmp_path)
    assert "90 % interval" in text and "95 %" not in text


def test_labels_seen_and_unseen_are_shown_apart(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    assert re.search(
        r'fine-tuned</td><td class="number">77</td><td class="number">50.0 %</td><td class="number">43', _page(tmp_path)
    )


def test_each_format_that_was_tried_has_its_figures_and_the_others_one_line(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    formats = [task_format(task, "approved") for task in ("cve-to-cwe", "advisory-summary", f"{HOSTILE}2")]
    untouched = msgspec.structs.replace(task_format("kept-as-it-is", "approved"), rewrite=False)
    text = build_page(tmp_path, [], [*formats, untouched], ReportParams())[0]
    section = text[text.index("What came of the rows") : text.index('id="rewrites"')]
    cells = re.search(r"<tr><td>cve-to-cwe</td>.*</tr>", section)
    assert cells and re.findall(r'number">([^<]*)<', cells[0]) == [
        "1 of 1", "27 – 100 %", "0 · 0 · 0", "1", "7", "66.7 %", "× 1.5", "1,400", "3 of 4",
    ]  # fmt: skip
    assert "all together" in section and "with the 90 % interval" in section and "and the judge" in section
    (line,) = re.findall(r"Not tried in this build[^\n]*", section)
    assert "(2):" in line and "advisory-summary" in line and "&lt;script&gt;" in line and "kept-as-it-is" not in line


def test_a_judge_whose_word_does_not_count_is_not_said_to_have_decided(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    changed = {**SAMPLE["enrich"], "judge_counts": False}
    (tmp_path / "metrics" / "enrich.json").write_text(json.dumps(changed))
    text = _page(tmp_path)
    assert "recorded but decide nothing" in text and "passed every check, with the 90 % interval" in text


def test_times_have_a_page_of_their_own(tmp_path: Path) -> None:
    assert build_timings_page(tmp_path).count("not measured in this build") == 4
    write_metrics(tmp_path)
    folder = tmp_path / "metrics" / "timings"
    (folder / "finetune.json").write_text('{"tokens_per_second": 4321.0}')
    (folder / "evaluate.json").write_text(json.dumps({HOSTILE: {"generative": {"base": {"items": 9, "p50_seconds": 1.25}}}}))
    text = build_timings_page(tmp_path)
    page = Balanced()
    page.feed(text)
    assert not page.open and not {tag for tag, _ in page.seen} & {"script", "img", "link", "iframe"}
    assert "4,321" in text and "1.25" in text


def test_a_damaged_metrics_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    (tmp_path / "metrics" / "tasks.json").write_text("{")
    with pytest.raises(InputError, match=r"tasks\.json is not JSON[\s\S]*dvc repro tasks"):
        _page(tmp_path)


def test_a_damaged_loss_table_is_named_with_its_remedy(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    (tmp_path / "metrics" / "finetune_loss.csv").write_text("step,loss\nx,1\ny,2\n")
    with pytest.raises(InputError, match="dvc repro finetune"):
        _page(tmp_path)
