"""A rewrite that rests on a page of the web: checked, traced and named like one that rests on a record."""

import json
from pathlib import Path

import pytest

from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.ground.web.schema import Snapshot, failure, snapshot
from stages.stage import Stage
from stages.tables import write_table
from stages.validate.chain import trace
from stages.validate.export import notice_of
from stages.validate.run import SYNTHESIZED, run_validate
from stages.validate.web_pages import PAGES, as_entities, page_ids
from tests.validate.samples import evidence, row, sentence, tables, write_tables

REWRITE = "rewritten-row"
PAGE = snapshot(
    "page", "https://docs.example.org/a", body=f"<p>{sentence(7)}", final_url="https://docs.example.org/b", content_type="text/html", title="About it"
)  # fmt: skip


def build(*, licence: str = "CC-BY-4.0", pages: bool = True) -> None:
    """A build in the working directory, one rewrite of which was made from PAGE."""
    import msgspec

    whole = tables()
    shown = evidence(REWRITE, sentence(90_002), passage_id=f"{PAGE.id}#1", entity_id=PAGE.id, uri=PAGE.final_url, licence=licence)
    whole["rows"] = [one for one in whole["rows"] if one.id != row(21).id] + [
        row(
            21, id=REWRITE, decision="rewritten", rewrite=row(21).answer, template_answer=f"It was: {sentence(5)}",
            evidence_ids=[shown.passage_id], sources=sorted([*row(21).sources, "web"]), licences=sorted([*row(21).licences, licence]),
        )
    ]  # fmt: skip
    whole["evidence"] += [shown]
    write_tables(whole)
    write_table(SYNTHESIZED, [], EnrichedRow)
    kept = [msgspec.structs.replace(PAGE, licence=licence), failure("page", "https://x.example/", "timeout", final=False)]
    write_table(PAGES, kept if pages else [], Snapshot)
    allow = "allow: [public-domain, permissive, attribution, terms], deny: [share-alike, non-commercial, copyleft, unknown]"
    Path("params.yaml").write_text(f"validate: {{licences: {{{allow}}}}}\n")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_evidence_of_a_page_passes_the_suites_and_is_traced_to_its_snapshot() -> None:
    build()
    run_validate(Stage("validate"))
    chain = trace(REWRITE)
    page = next(one for one in chain["sources"] if one["type"] == "web-page")
    assert (page["entity"], page["uri"], page["version"], page["sha256"]) == (
        PAGE.id,
        PAGE.final_url,
        PAGE.retrieved,
        PAGE.sha256,
    )
    assert (page["class"], page["source"], page["name"]) == ("attribution", "web", "About it")
    assert "CC-BY-4.0" in chain["licence"]["licences"] and chain["licence"]["agrees"]
    assert not [one for one in chain["broken"] if "web:" in one]


def test_a_page_without_a_known_licence_keeps_the_row_out_of_the_set() -> None:
    build(licence="unknown")
    run_validate(Stage("validate"))
    assert json.loads(Path("metrics/validate.json").read_text())["drops"]["licence-unknown"] == 1
    assert trace(REWRITE)["row"]["reason"] == "licence-unknown"


def test_evidence_of_a_page_that_no_table_has_is_an_error() -> None:
    build(pages=False)
    with pytest.raises(InputError, match="no page of the web"):
        run_validate(Stage("validate"))


def test_a_build_that_is_older_than_the_table_of_pages_is_read() -> None:
    build(pages=False)
    Path(PAGES).unlink()
    assert page_ids() == set() and as_entities([PAGE.id]) == []
    source = next(one for one in trace(REWRITE)["sources"] if one["entity"] == PAGE.id)
    assert source == {"entity": PAGE.id, "exists": False}


def test_the_notice_names_the_host_of_a_page_and_its_duty() -> None:
    build()
    one = row(21, id=REWRITE)
    text = notice_of([one], {(REWRITE, f"{PAGE.id}#1")})
    assert "web docs.example.org: 1 records under CC-BY-4.0 (attribution)" in text and PAGE.final_url in text


def test_one_body_at_two_hosts_is_two_pages_with_a_licence_each() -> None:
    import msgspec

    hosts = {"https://a.example.org/x": "MIT", "https://b.example.org/x": "CC-BY-4.0"}
    both = [
        msgspec.structs.replace(snapshot("page", url, body="<p>same", final_url=url, content_type="text/html"), licence=licence)
        for url, licence in hosts.items()
    ]
    write_table(PAGES, both, Snapshot)
    assert {(one.id, one.uri, one.licence) for one in as_entities(page_ids())} == {
        (one.id, one.final_url, one.licence) for one in both
    }
    assert {one.uri: one.licence for one in as_entities(page_ids())} == hosts
