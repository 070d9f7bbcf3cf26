"""Pages of the web as the sources of evidence: they are in no entities table, but in that of the snapshots.

A build that never searched the web has an empty table, or none if it is older than the table.
"""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from stages.ground.schema import WEB
from stages.ingest.schema import Entity
from stages.validate.lookup import Record, find_all

PAGES = "data/ground/pages.parquet"
TYPE = "web-page"


def page_ids() -> set[str]:
    """Ids of all pages that the build read."""
    import pyarrow.parquet as pq

    return set(pq.read_table(PAGES, columns=["id"])["id"].to_pylist()) if Path(PAGES).exists() else set()


def pages(ids: Iterable[str]) -> dict[str, Record]:
    """Snapshots by id, which is of the page's final address too: of several ways to one page, that of the least key."""
    found = sorted((one for _, one in find_all([PAGES], "id", ids)), key=lambda one: one["key"], reverse=True)
    return {one["id"]: one for one in found}


def as_entities(ids: Iterable[str]) -> list[Entity]:
    """Pages as the NOTICE tells of records: the host in place of a version."""
    return [
        Entity(
            id=one["id"], type=TYPE, name=one["title"], text="", fields={}, source=WEB,
            version=urlsplit(one["final_url"]).hostname or "", uri=one["final_url"], licence=one["licence"],
        )
        for one in pages(ids).values()
    ]  # fmt: skip
