"""Rows of one source, and how records that are not used are named."""

import msgspec

from stages.ingest.params import Source
from stages.ingest.records import Records


class Toy(msgspec.Struct):
    """A record."""

    id: str
    size: int


def records() -> Records:
    return Records("toy", Source(reader="toy", version="1", licence="CC0-1.0", files={}), passage_chars=1200)


def test_a_broken_record_is_named_by_its_place_and_its_own_id() -> None:
    found = records()
    raws = [b'{"id": "a", "size": 1}', b'{"id": "b", "size": "large"}', b'{"id": 7}', b"[]", b'{"cveID": "c"', b'{"cveID": "d"}']
    assert [one.id for one in found.convert([msgspec.Raw(raw) for raw in raws], Toy, start=10)] == ["a"]
    assert [one.record for one in found.rejects] == ["Toy 11 b", "Toy 12", "Toy 13", "Toy 14", "Toy 15 d"]
    assert {one.reason for one in found.rejects} == {"broken-record"} and "size" in found.rejects[0].detail


def test_rows_survive_the_way_from_a_worker() -> None:
    found = records()
    entity = found.entity("toy:1", "toy", "A toy", "Its text.", "", {"size": 1, "colour": "", "parts": [], "used": False})
    found.link(entity.id, "child-of", "toy:2")
    found.passage(entity, "text", "A passage of some length about the toy.")
    found.reject("toy:3", "broken-record")
    copy = records().unpacked(found.packed())
    assert entity.fields == {"size": 1, "used": False}
    assert (copy.entities, copy.links, copy.passages, copy.rejects) == (
        found.entities,
        found.links,
        found.passages,
        found.rejects,
    )
