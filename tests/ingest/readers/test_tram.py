"""TRAM sentences: labels of one sentence together, and what a hostile file may not do."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import InputError
from stages.ingest.records import Records
from tests.ingest.anything import ANYTHING, NO_DOCUMENTS, SLOW
from tests.ingest.reading import read_with

SENTENCE = {"text": "It  juggles\u00a0three balls.", "label": "T9001", "doc_title": "Circus News"}


def read_sentences(folder: Path, sentences: Any) -> Records:
    (folder / "single_label.json").write_text(json.dumps(sentences))
    return read_with("tram", {"sentences": folder / "single_label.json"})


def test_labels_of_one_sentence_come_together(tmp_path: Path) -> None:
    again = SENTENCE | {"label": "T9002.001", "doc_title": "Another Paper"}
    records = read_sentences(tmp_path, [SENTENCE, again, SENTENCE, SENTENCE | {"label": "none"}, SENTENCE | {"text": " \n"}])
    (entity,) = records.entities
    assert entity.type == "report-sentence" and entity.text == "It juggles three balls." and entity.id.startswith("tram:")
    assert entity.fields == {"techniques": ["T9001", "T9002.001"], "documents": ["Another Paper", "Circus News"]}
    assert [(link.relation, link.object) for link in records.links] == [
        ("describes", "attack:T9001"),
        ("describes", "attack:T9002.001"),
    ]
    assert [reject.reason for reject in records.rejects] == ["duplicate", "no-technique-id", "empty-text"]


def test_the_label_is_not_in_the_text(tmp_path: Path) -> None:
    records = read_sentences(tmp_path, [SENTENCE | {"text": "It tosses [T9001] balls for access [TA9001] to T9001.001 rings."}])
    assert records.entities[0].text == "It tosses balls for access to rings."


def test_order_does_not_matter(tmp_path: Path) -> None:
    sentences = [SENTENCE | {"text": f"It juggles {n} balls."} for n in range(9)]
    assert read_sentences(tmp_path, sentences).entities == read_sentences(tmp_path, sentences[::-1]).entities


@pytest.mark.parametrize("content", NO_DOCUMENTS)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "single_label.json").write_bytes(content)
    try:
        records = read_with("tram", {"sentences": tmp_path / "single_label.json"})
    except InputError as error:
        assert "single_label.json" in str(error)
    else:  # a list, of something else
        assert not records.entities and {reject.reason for reject in records.rejects} == {"broken-record"}


def test_bytes_that_are_no_utf8_are_one_reject(tmp_path: Path) -> None:
    good = json.dumps(SENTENCE).encode()
    (tmp_path / "single_label.json").write_bytes(b'[{"text": "\xff", "label": "T9001"}, ' + good + b"]")
    records = read_with("tram", {"sentences": tmp_path / "single_label.json"})
    assert len(records.entities) == 1 and [reject.reason for reject in records.rejects] == ["broken-record"]


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(key=st.sampled_from(sorted(SENTENCE)), value=ANYTHING, whole=st.booleans())
def test_any_json_in_a_records_place_leaves_the_others(tmp_path: Path, key: str, value: Any, whole: bool) -> None:
    records = read_sentences(tmp_path, [value if whole else SENTENCE | {"text": "Other.", key: value}, SENTENCE])
    assert "It juggles three balls." in {entity.text for entity in records.entities}


@pytest.mark.mirror
def test_counts_of_tram(mirror: Path) -> None:
    records = read_with("tram", {"sentences": mirror / "sources/tram/single_label.json"})
    reasons = Counter(reject.reason for reject in records.rejects)
    assert len(records.links) + reasons["duplicate"] == 5089 and set(reasons) == {"duplicate"}
    assert len({link.object for link in records.links}) == 50
