"""A build that searches the web: what it finds, what it keeps, and that a rebuild asks nobody."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stages.errors import ParamsError
from stages.ground.params import GroundParams
from stages.ground.web.__main__ import main as command
from stages.ground.web.extract import KINDS
from stages.ground.web.failures import Refused, WebError
from stages.ground.web.fetch import Received
from stages.ground.web.once import Once
from stages.ground.web.pages import Pages
from stages.ground.web.params import Web, why_not
from stages.ground.web.schema import Snapshot, flaw_of, key_of, page_id, snapshot
from stages.ground.web.search import open_web
from stages.ground.web.store import SnapshotStore, store_path
from stages.runtime import RuntimeParams, WebAccess
from stages.tables import file_sha256, read_table, write_table
from tests.ground.web.conftest import LICENCES, NO_LEAKS, Searched
from tests.ground.web.site import Site, about, html, redirect

Search = Callable[..., Searched]
QUERY = "process injection remote thread"


@pytest.fixture
def filled(site: Site) -> Site:
    """Two pages on the subject, one beside it, and a result that is no page."""
    site.found(
        QUERY,
        site.page("docs.test", "/injection", about("injection", "detection")),
        "ftp://docs.test/file",
        site.page("docs.test", "/report.pdf", web.Response(body=b"%PDF-1.7", content_type="application/pdf")),
        site.page("other.test", "/hollowing", about("hollowing", "gardening")),
    )
    return site


def test_passages_of_the_pages_are_ranked_for_the_query_and_lead_back_to_them(filled: Site, search: Search) -> None:
    found = search(QUERY)
    hits = found.hits[0]
    first = hits[0].passage
    assert "remote thread" in first.text and first.title == "All about injection: On detection"
    assert first.uri == filled.address("docs.test", "/injection")
    assert (first.source, first.licence) == ("web", "CC-BY-4.0")
    assert [hit.rank for hit in hits] == list(range(len(hits)))
    kept = {one.id: one for one in found.kept if one.id}
    for hit in hits:
        page = kept[hit.passage.entity_id]
        assert re.fullmatch(r"web:[0-9a-f]{16}#\d+", hit.passage.id) and page.id == page_id(page.final_url, page.sha256)
        assert hit.passage.text.split(". ")[0] in page.body


def test_everything_that_was_asked_is_kept_with_hash_time_address_type_licence_and_title(filled: Site, search: Search) -> None:
    kept = search(QUERY).kept
    assert [one.key for one in kept] == sorted(one.key for one in kept)
    searched = next(one for one in kept if one.kind == "search")
    assert (searched.provider, searched.asked) == ("searxng", QUERY) and '"url":' in searched.body
    pages = {one.asked.rpartition("/")[2]: one for one in kept if one.kind == "page"}
    assert set(pages) == {"injection", "report.pdf", "hollowing"}
    page = pages["injection"]
    assert page.title == "All about injection" and page.content_type == "text/html" and page.final_url == page.asked
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", page.retrieved) and page.licence == "CC-BY-4.0"
    assert pages["hollowing"].licence == "unknown", "no licence is stated for other.test"
    assert (pages["report.pdf"].reason, pages["report.pdf"].body) == ("content-type", "")


def test_an_offline_rebuild_on_another_machine_gives_the_same_bytes(
    filled: Site, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = search(QUERY, "nobody writes of this")
    write_table("pages.parquet", first.kept, Snapshot)
    asked = len(filled.asked)
    (tmp_path / "fresh").mkdir()
    monkeypatch.chdir(tmp_path / "fresh")
    command(["import", "--if-present", "../none.parquet", "../pages.parquet"])
    again = search(QUERY, "nobody writes of this", offline=True)
    write_table("pages.parquet", again.kept, Snapshot)
    assert again[:3] == first[:3]
    assert file_sha256("pages.parquet") == file_sha256("../pages.parquet")
    assert len(filled.asked) == asked, "the network was asked"
    assert again.timings == {"pages_reused": 3, "queries_reused": 2}


def test_the_order_in_which_rows_ask_changes_nothing(filled: Site, search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.found("memory of another process", *(one["url"] for one in filled.results[QUERY]))
    one = search(QUERY, "memory of another process")
    other = search("memory of another process", QUERY, offline=True)
    assert (other.hits[::-1], other.kept, other.metrics) == (one.hits, one.kept, one.metrics)


def test_rows_that_ask_the_same_at_once_share_one_request(filled: Site, search: Search) -> None:
    found = search(*[QUERY] * 5)
    assert filled.paths("docs.test") == ["/injection", "/report.pdf"]
    assert filled.paths("127.0.0.1") == ["/search"] and found.timings["queries_sent"] == 1
    assert found.metrics["queries"] == {"answered": 1, "failed": {}}


def test_offline_what_is_not_stored_finds_nothing_is_counted_and_warned_of_once(
    filled: Site, search: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    search(QUERY)
    os.unlink(store_path())
    found = search(QUERY, "another query", offline=True)
    assert found.hits == [[], []] and found.metrics["queries"] == {"answered": 0, "failed": {"not-stored": 2}}
    assert capsys.readouterr().err.count("runtime.offline is true") == 1


def test_offline_a_stored_search_whose_page_is_not_stored_counts_the_page(filled: Site, search: Search) -> None:
    kept = search(QUERY).kept
    os.unlink(store_path())
    store = SnapshotStore(store_path())
    store.store([one for one in kept if one.kind == "search"])
    store.close()
    found = search(QUERY, offline=True)
    assert found.hits == [[]] and found.metrics["pages"] == {"used": 0, "refused": {"not-stored": 3}}


def test_as_many_pages_as_asked_for_are_used_and_more_results_are_tried_for_them(filled: Site, search: Search) -> None:
    assert search(QUERY, params={"pages": 1}).metrics["pages"] == {"used": 1, "refused": {}}
    assert search(QUERY, params={"pages": 2}).metrics["pages"] == {"used": 2, "refused": {"content-type": 1}}


def test_lists_of_domains_decide_whose_pages_are_read(filled: Site, search: Search) -> None:
    filled.page("docs.test", "/away", redirect(filled.address("other.test", "/hollowing")))
    filled.found("away", filled.address("docs.test", "/away"))
    denied = search(QUERY, "away", params={"deny": ["other.test"]})
    assert filled.paths("other.test") == []
    assert denied.metrics["pages"]["refused"] == {"content-type": 1, "denied": 2}
    allowed = search(QUERY, params={"allow": ["other.test"]})
    assert {hit.passage.uri for hit in allowed.hits[0]} == {filled.address("other.test", "/hollowing")}


def test_pages_of_a_denied_licence_are_not_asked_for_and_cost_no_try(filled: Site, search: Search) -> None:
    links = [filled.page("other.test", f"/{number}", about("hollowing")) for number in range(9)]
    filled.found("injection of many", *links, filled.address("docs.test", "/injection"))
    found = search("injection of many", deny=["unknown"], params={"pages": 1})
    assert found.metrics["pages"] == {"used": 1, "refused": {"licence-unknown": 9}}
    assert filled.paths("other.test") == [] and found.hits[0][0].passage.licence == "CC-BY-4.0"
    assert "other.test" not in " ".join(one.asked for one in found.kept)


def test_a_redirect_to_a_host_of_a_denied_licence_is_not_used(filled: Site, search: Search) -> None:
    away = filled.page("docs.test", "/away", redirect(filled.address("other.test", "/hollowing")))
    filled.found("away", away)
    found = search("away", deny=["unknown"])
    assert found.metrics["pages"] == {"used": 0, "refused": {"licence-unknown": 1}}
    assert filled.asked.count(("docs.test", "/away")) == 1 and not [path for host, path in filled.asked if host == "other.test"]
    assert not [one for one in found.kept if one.kind == "page" and one.body]


def test_a_page_that_was_stored_before_its_licence_was_denied_is_in_no_table(
    filled: Site, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = filled.page("docs.test", "/away", redirect(filled.address("other.test", "/hollowing")))
    filled.found("away", away)
    assert search("away").metrics["pages"]["used"] == 1
    denied = search("away", deny=["unknown"])
    assert denied.metrics["pages"] == {"used": 0, "refused": {"licence-unknown": 1}}
    page = next(one for one in denied.kept if one.kind == "page")
    assert (page.body, page.title, page.id, page.reason) == ("", "", "", "licence-unknown")
    write_table("pages.parquet", denied.kept, Snapshot)
    (tmp_path / "fresh").mkdir()
    monkeypatch.chdir(tmp_path / "fresh")
    command(["import", "../pages.parquet"])
    assert search("away", deny=["unknown"], offline=True)[:3] == denied[:3]


def test_one_body_at_two_hosts_keeps_the_licence_of_each(filled: Site, search: Search) -> None:
    same = [filled.page(host, "/same", about("injection")) for host in ("docs.test", "other.test")]
    licences = {"docs.test": "CC-BY-4.0", "other.test": "MIT"}
    for query, pages in (("process injection", same), ("remote thread", same[::-1])):
        filled.found(query, *pages)
    found = search("process injection", "remote thread", params={"licences": licences})
    pages = {one.id: one for one in found.kept if one.id}
    assert len(pages) == 2 and len({one.sha256 for one in pages.values()}) == 1
    for hits, host in zip(found.hits, ("docs.test", "other.test"), strict=True):
        assert 0 < len({hit.passage.text for hit in hits}) == len(hits), "what two pages say is one hit"
        for hit in hits:
            page = pages[hit.passage.entity_id]
            assert (hit.passage.uri, hit.passage.licence) == (page.final_url, page.licence) and host in page.final_url
            assert page.licence == licences[host]


class _Received:
    """In place of the network: one response to everything."""

    def __init__(self, body: bytes, content_type: str) -> None:
        self.received = Received(200, body, content_type, "", "")

    async def page(self, url: object, *, kinds: tuple[str, ...], **_: object) -> Received:
        if kinds != KINDS:
            raise Refused("http-404")  # robots.txt
        return self.received


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(name="a%0Ab%C2%A0c%E2%80%A8d", body="text", kind="text/plain")
@example(name="x" * 900, body="<title>a\u2028b\x85\u3000c</title><p>x", kind="text/html")
@given(name=st.text(min_size=1, max_size=60), body=st.text(max_size=300), kind=st.sampled_from(KINDS))
def test_whatever_is_stored_can_be_imported(workspace: Path, name: str, body: str, kind: str) -> None:
    fetcher: Any = _Received(f"<title>{body}</title>{body}".encode(errors="replace"), kind)
    pages = Pages(Web(), (), WebAccess(), fetcher)
    address = f"http://docs.test/{name}".encode(errors="replace").decode()

    async def build() -> Snapshot | None:
        store = SnapshotStore(workspace / "first.sqlite")
        try:
            return await Once(store, offline=False).answer("page", key_of("page", "", address), lambda: pages.read(address))
        finally:
            store.close()
            (workspace / "first.sqlite").unlink()

    one = asyncio.run(build())
    assert one is not None and one.title.isprintable() and len(one.title) <= 200
    assert one.reason != "unfit", "an odd title is no reason to lose a page"
    write_table("kept.parquet", [one], Snapshot)
    command(["import", "kept.parquet"])


def test_what_import_would_refuse_is_not_stored(workspace: Path) -> None:
    async def odd() -> Snapshot:
        return snapshot("page", "http://docs.test/", body="x", final_url="http://docs.test/", title="two\nlines")

    async def build() -> Snapshot | None:
        store = SnapshotStore(store_path())
        try:
            return await Once(store, offline=False).answer("page", key_of("page", "", "http://docs.test/"), odd)
        finally:
            store.close()

    one = asyncio.run(build())
    assert one is not None and (one.reason, one.body, flaw_of(one)) == ("unfit", "", "")


def test_hits_that_share_a_stray_word_are_left_out_and_no_hit_has_scores_of_another_index(filled: Site, search: Search) -> None:
    hits = search("process hollowing replaces the image in memory", QUERY).hits
    filled.found("tomatoes in the morning sun", filled.address("other.test", "/hollowing"))
    hits += search("tomatoes in the morning sun").hits
    assert [hit.passage.title for hit in hits[-1]] == ["All about hollowing: On gardening"]
    assert all(hit.scores == {} for of_query in hits for hit in of_query)


def test_what_a_killed_run_had_asked_for_is_in_the_account_of_the_run_that_goes_on(filled: Site, search: Search) -> None:
    """Rows that are done are not grounded again: their queries are known by the table of rows alone."""
    filled.found("later", filled.page("docs.test", "/later", about("detection")))
    whole = search(QUERY, "later")
    params = GroundParams(web=Web(provider="searxng", licences=LICENCES), deny=())

    async def go_on() -> tuple[list[Snapshot], dict]:
        async with open_web(params, filled.runtime(), NO_LEAKS, filled.resolve) as web:
            assert web is not None
            await web.search("later", 8)
            account = await web.account([QUERY, "later", QUERY])
            return list(account.kept), account.metrics["web"]

    assert asyncio.run(go_on()) == (whole.kept, whole.metrics)


def test_the_web_is_searched_from_one_process_and_never_in_vain(filled: Site) -> None:
    async def build(params: GroundParams, runtime: RuntimeParams) -> None:
        async with open_web(params, runtime, NO_LEAKS):
            pass

    web_params = Web(provider="searxng", licences=LICENCES)
    with pytest.raises(ParamsError, match="runtime.engine"):
        asyncio.run(build(GroundParams(web=web_params), RuntimeParams(engine="ray")))
    with pytest.raises(ParamsError, match="names no domain") as error:
        asyncio.run(build(GroundParams(web=Web(provider="searxng")), RuntimeParams()))
    said = re.search(r"licences: \{(\S+): (\S+)\}", str(error.value))
    assert said and not why_not(said[1], Web(licences={said[1]: said[2]}), GroundParams().deny), "the remedy is no remedy"
    denied = Web(provider="searxng", licences={"owasp.org": "CC-BY-SA-4.0", "example.org": "Acme private"})
    with pytest.raises(ParamsError, match=r"only Acme private \(unknown\), CC-BY-SA-4.0 \(share-alike\)"):
        asyncio.run(build(GroundParams(web=denied), RuntimeParams()))


def test_a_page_that_was_stored_before_its_domain_was_denied_is_not_used(filled: Site, search: Search) -> None:
    filled.page("docs.test", "/away", redirect(filled.address("other.test", "/hollowing")))
    filled.found("away", filled.address("docs.test", "/away"))
    assert search("away").metrics["pages"]["used"] == 1
    assert search("away", params={"deny": ["other.test"]}).metrics["pages"] == {"used": 0, "refused": {"denied": 1}}


def test_the_licence_is_that_of_the_longest_domain_and_of_the_page_that_was_read() -> None:
    from stages.ground.web.params import licence_of

    params = Web(licences={"example.org": "MIT", "docs.example.org": "CC-BY-4.0"})
    hosts = ["example.org", "docs.example.org", "a.docs.example.org", "notexample.org"]
    assert [licence_of(host, params) for host in hosts] == ["MIT", "CC-BY-4.0", "CC-BY-4.0", "unknown"]


def test_a_failure_that_may_pass_is_tried_again_and_what_was_kept_stays(filled: Site, search: Search) -> None:
    filled.pages["other.test", "/hollowing"] = web.Response(status=503)
    before = search(QUERY)
    assert before.metrics["pages"]["refused"] == {"content-type": 1, "http-503": 1}
    assert search(QUERY, offline=True)[:3] == before[:3], "offline the same failure is met again"
    filled.pages["other.test", "/hollowing"] = about("hollowing")
    filled.pages["docs.test", "/injection"] = html("Changed", "The page says something else by now. " * 4)
    after = search(QUERY)
    assert after.metrics["pages"] == {"used": 2, "refused": {"content-type": 1}}
    assert any("creates a remote thread" in hit.passage.text for hit in after.hits[0]), "the snapshot is used, not the page"


def test_a_provider_that_fails_finds_nothing_is_counted_and_asked_again_by_the_next_build(
    filled: Site, search: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {
        "garbage": web.Response(text="{not json", content_type="application/json"),
        "content-type": web.Response(text="<html>busy</html>", content_type="text/html"),
        "engines-silent": web.json_response({"results": [], "unresponsive_engines": [["google", "timeout"]]}),
    }
    for reason, answer in answers.items():
        filled.provider = answer
        assert search(QUERY).metrics["queries"] == {"answered": 0, "failed": {reason: 1}}
    assert "a web search failed (garbage)" in capsys.readouterr().err
    filled.provider = None
    assert search(QUERY).metrics["queries"] == {"answered": 1, "failed": {}}


def test_brave_is_asked_with_its_key_which_is_nowhere_else(
    filled: Site, search: Search, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "brave-key-5b1d"
    monkeypatch.setenv("TEST_BRAVE_KEY", key)
    found = search(QUERY, params={"provider": "brave"}, api_key_env="TEST_BRAVE_KEY")
    assert found.hits[0] and filled.paths("127.0.0.1") == ["/web/search"]
    carrying = [at for at, headers in enumerate(filled.headers) if key in str(headers)]
    assert [filled.asked[at][1] for at in carrying] == ["/web/search"], "the key went to a page's host"
    write_table("pages.parquet", found.kept, Snapshot)
    filled.provider = web.Response(status=403, text=f"the key {key} is not known")
    with pytest.raises(WebError, match="answered 403") as error:
        search("another query", params={"provider": "brave"}, api_key_env="TEST_BRAVE_KEY")
    said = capsys.readouterr()
    assert key not in f"{error.value}{found}{said.out}{said.err}"
    for path in Path().rglob("*"):
        assert not path.is_file() or key.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("params", "access", "message"),
    [
        ({"provider": "searxng"}, {"base_url": ""}, "runtime.web.base_url is empty"),
        ({"provider": "brave"}, {}, "runtime.web.api_key_env names no variable"),
        ({"provider": "brave"}, {"api_key_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
    ],
)
def test_a_provider_that_cannot_be_asked_ends_the_build_with_a_remedy(
    filled: Site, search: Search, params: dict, access: dict, message: str
) -> None:
    if "NOT_SET_ANYWHERE" in access.values():
        access = {**access, "base_url": "https://search.example.org"}
    with pytest.raises(Exception, match=message) as error:
        search(QUERY, params=params, **access)
    assert "Remedy" in str(error.value)


def test_searxng_without_json_says_which_setting_is_missing(filled: Site, search: Search) -> None:
    filled.provider = web.Response(status=403)
    with pytest.raises(WebError, match=r"search\.formats"):
        search(QUERY)


def test_off_by_default_nothing_is_opened(workspace: Path) -> None:
    async def build() -> None:
        for params in (GroundParams(), GroundParams(web=Web(provider="brave"), evidence=False)):
            async with open_web(params, RuntimeParams(), NO_LEAKS) as found:
                assert found is None

    asyncio.run(build())
    assert not store_path().exists()


def test_import_refuses_a_snapshot_that_was_changed(filled: Site, search: Search) -> None:
    import msgspec

    page = next(one for one in search(QUERY).kept if one.id)
    searched = next(one for one in search(QUERY).kept if one.kind == "search")
    changed = {
        "SHA-256": msgspec.structs.replace(page, body=page.body + " "),
        "its key": msgspec.structs.replace(page, asked="http://elsewhere.test/"),
        "its id": msgspec.structs.replace(page, id="web:0123456789abcdef"),
        "its address": msgspec.structs.replace(page, final_url="javascript:alert(1)"),
        "a reason": msgspec.structs.replace(page, id="", reason="timeout"),
        "list of results": searched.__class__(
            **{
                **msgspec.structs.asdict(searched),
                "body": "{}",
                "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            }
        ),
    }
    for said, one in changed.items():
        write_table("changed.parquet", [one], Snapshot)
        with pytest.raises(SystemExit, match=said):
            command(["import", "changed.parquet"])


def test_stats_tell_kinds_and_outcomes(filled: Site, search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    command(["stats"])
    search(QUERY)
    command(["stats"])
    told = capsys.readouterr().out
    assert "no snapshots are stored" in told and "searches: 1 kept" in told
    assert "pages: 2 kept" in told and "pages: 1 content-type" in told


def test_a_build_that_is_killed_between_two_pages_keeps_what_it_had(filled: Site, search: Search) -> None:
    """The second page never ends, and its build is killed with it."""

    async def endless(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    filled.pages["other.test", "/hollowing"] = endless
    code = (
        "import asyncio, tests.ground.web.conftest as c\n"
        "from tests.ground.web.site import Site\n"
        "from stages.ground.params import GroundParams\n"
        "from stages.ground.web.params import Web\n"
        "params = GroundParams(web=Web(provider='searxng'), deny=())\n"
        f"site = Site(); site.port = {filled.port}\n"
        f"asyncio.run(c.search_once(site, [{QUERY!r}], params, c.NO_LEAKS, False, {{'timeout': 50.0}}))\n"
    )
    root = Path(__file__).parents[3]
    build = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)})
    try:
        for _ in range(300):
            if "/hollowing" in filled.paths("other.test"):
                break
            assert build.poll() is None
            asyncio.run(asyncio.sleep(0.1))
    finally:
        build.send_signal(signal.SIGKILL)
        build.wait(10)
    filled.pages["other.test", "/hollowing"] = about("hollowing")
    asked = len(filled.asked)
    found = search(QUERY)
    again = [path for _, path in filled.asked[asked:]]
    assert again == ["/robots.txt", "/hollowing"], "only what was not committed is asked again"
    assert found.metrics["pages"]["used"] == 2 and again[-1] in str(found.kept)


def test_a_full_table_reads_back(filled: Site, search: Search) -> None:
    kept = search(QUERY).kept
    write_table("pages.parquet", kept, Snapshot)
    assert read_table("pages.parquet", Snapshot) == kept
