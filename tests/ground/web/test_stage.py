"""The stage `ground` with the web switched on: what rows rest on is in the table of pages, and a rebuild needs no network."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from stages.errors import ParamsError
from stages.ground.run import run_ground
from stages.ground.schema import Evidence
from stages.ground.web.__main__ import main as command
from stages.ground.web.schema import Snapshot
from stages.stage import Stage
from stages.tables import file_sha256, read_table
from tests import fake_teacher
from tests.enrich.test_run import make_inputs
from tests.fake_openai import FakeOpenAI
from tests.ground.web.site import Site, html

PARAMS = """
llm:
  teacher: {{provider: openai, model: fake, temperature: 0.2, repetition_penalty: 1.0, max_tokens: 400}}
ground:
  rows: 0
  least_score: 0.0
  engines: [bm25]
  web: {web}
runtime:
  offline: {offline}
  endpoints: {{teacher: [{{base_url: "{url}"}}]}}
  web: {{base_url: "{base}", delay: 0.0, query_delay: 0.0, timeout: 5.0, private_hosts: [localhost]}}
"""
WEB = "{provider: searxng, licences: {localhost: CC-BY-4.0}}"
TABLES = ("rows", "evidence", "rejects", "responses", "pages")
PAGE = "Handlers of scripts, buffers and queries have flaws. Encoding of output, a check of bounds and bound parameters stop attackers. "


def build(
    root: Path, patch: pytest.MonkeyPatch, site: Site, teacher: str, *, offline: bool = False, web: str = WEB
) -> dict[str, str]:
    """The stage, run in a toy workspace; hashes of all it wrote but times."""
    make_inputs(root)
    patch.chdir(root)
    patch.setenv("OPENAI_API_KEY", "test")
    base = site.address("127.0.0.1", "")
    (root / "params.yaml").write_text(PARAMS.format(web=web, offline=str(offline).lower(), url=teacher, base=base))
    if offline:
        command(["import", str(root.parent / "first/data/ground/pages.parquet")])
    run_ground(Stage("ground"))
    return {name: file_sha256(f"data/ground/{name}.parquet") for name in TABLES} | {"metrics": file_sha256("metrics/ground.json")}


def test_an_offline_rebuild_elsewhere_gives_the_same_bytes_and_evidence_leads_to_pages(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [site.page("localhost", f"/{n}", html(f"Page {n}", PAGE * 2, "# More", PAGE * n)) for n in range(1, 4)]

    async def results(request: web.Request) -> web.Response:
        return web.json_response({"results": [{"url": one, "title": "A page"} for one in found]})

    site.provider = results
    with FakeOpenAI(behaviour=fake_teacher.behaviour) as teacher:
        first = build(tmp_path / "first", monkeypatch, site, teacher.base_url)
        metrics = json.loads(Path("metrics/ground.json").read_text())
        evidence = [one for one in read_table("data/ground/evidence.parquet", Evidence) if one.entity_id.startswith("web:")]
        pages = {one.id: one for one in read_table("data/ground/pages.parquet", Snapshot) if one.id}
        assert evidence and {one.entity_id for one in evidence} <= set(pages)
        assert {(one.uri, one.licence) for one in evidence} <= {(one.final_url, one.licence) for one in pages.values()}
        assert metrics["web"]["pages"] == {"used": 2, "refused": {}} and metrics["web"]["queries"]["answered"] > 1
        assert metrics["events"]["web-hits"] > 0 and metrics["licences"]["CC-BY-4.0"] == len(evidence)
        asked = len(site.asked)
        assert build(tmp_path / "again", monkeypatch, site, teacher.base_url, offline=True) == first
        assert len(site.asked) == asked


def test_off_the_table_of_pages_is_there_and_empty(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOpenAI(behaviour=fake_teacher.behaviour) as teacher:
        build(tmp_path / "off", monkeypatch, site, teacher.base_url, web="{}")
    assert read_table("data/ground/pages.parquet", Snapshot) == [] and site.asked == []
    assert "web" not in json.loads(Path("metrics/ground.json").read_text())


@pytest.mark.parametrize(
    "web",
    [
        "{provider: google}",
        "{provider: searxng, pages: 0}",
        "{deny: ['https://example.org']}",
        "{allow: [UPPER.org]}",
        "{lists: []}",
    ],
)
def test_params_that_make_no_sense_are_refused_before_anything_is_asked(
    web: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ParamsError, match="section `ground`"):
        build(tmp_path / "off", monkeypatch, site, "http://127.0.0.1:9/v1", web=web)
    assert site.asked == []


@pytest.mark.parametrize(
    "access",
    [
        "{base_url: ftp://x}",
        "{base_url: 'http://me:word@host/'}",
        "{concurrency: 0}",
        "{delay: -1}",
        "{query_delay: -1}",
        "{timeout: 0}",
    ],
)
def test_a_wrong_address_of_the_provider_is_refused_and_no_password_is_shown(access: str, tmp_path: Path) -> None:
    from stages.config import load_section
    from stages.runtime import RuntimeParams

    (tmp_path / "params.yaml").write_text(f"runtime: {{web: {access}}}\n")
    with pytest.raises(ParamsError, match="section `runtime`") as error:
        load_section("runtime", RuntimeParams, tmp_path / "params.yaml")
    assert "word" not in str(error.value)
