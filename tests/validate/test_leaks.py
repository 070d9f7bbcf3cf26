from pathlib import Path

import numpy as np
import pytest

from stages.validate.candidates import find_candidates
from stages.validate.decontaminate import Match
from stages.validate.leaks import CHECKED, find_leaks
from stages.validate.overlap import Document, corpus_of
from stages.validate.params import DecontaminationParams
from stages.validate.paraphrase import Encoders, Similar, find_paraphrases, matching, views_of
from stages.validate.specific import Weights, stems
from stages.validate.sweep import sweep
from stages.validate.windows import windows_of
from tests.validate.samples import sentence
from tests.validate.test_decontaminate import build_index, external

PARAMS = DecontaminationParams()
SYNONYMS = {"lets": "allows", "attacker": "intruder", "read": "view", "files": "documents", "secret": "private"}


class MeaningEncoder:
    """Words as fixed random directions, one for all synonyms: meaning without a model."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def sums(self, texts: list[str]) -> np.ndarray:
        return np.array([sum((self._word(word) for word in text.casefold().split()), np.zeros(64)) for text in texts], np.float32)

    def encode_kept(self, texts: list[str]) -> np.ndarray:
        self.asked.extend(texts)
        sums = self.sums(texts)
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)

    def _word(self, word: str) -> np.ndarray:
        plain = word.strip(".,?!")
        seed = int.from_bytes(SYNONYMS.get(plain, plain).encode()[:7].ljust(7, b"\0"), "big")
        return np.random.default_rng(seed).standard_normal(64)


@pytest.fixture
def encoders() -> Encoders:
    encoder = MeaningEncoder()
    return Encoders(encoder, encoder)


def row(text: str, name: str = "row", subject: str = "") -> Document:
    return Document(id=name, subject=subject, texts={"instruction": [text]})


ITEM = external("A flaw in Quince Server lets an attacker read secret files of other tenants", 1)
SAID_AGAIN = "In Quince Server an intruder allows himself to view private documents of other tenants by a flaw"


def test_a_paraphrase_is_found_inside_a_longer_text_and_named(encoders: Encoders) -> None:
    clean = [row(sentence(number, 40), f"clean{number}") for number in range(50)]
    leak = row(f"{sentence(900, 12)} {SAID_AGAIN}. {sentence(901, 12)}", "leak")
    (match,) = find_leaks([*clean, leak], [ITEM], PARAMS, encoders).contamination.matches
    assert (match.row, match.item, match.rule, match.level) == ("leak", "item-1", "embedding", "instruction")
    assert "private documents" in match.evidence
    assert PARAMS.embedding_cosine <= match.overlap <= 1


def test_what_many_subjects_say_is_no_paraphrase_of_one_item(encoders: Encoders) -> None:
    """Beyond four subjects it is common knowledge, as with words."""
    variants = [
        f"{SAID_AGAIN} {word}" for word in ("once", "twice", "now", "soon", "often", "daily", "rarely", "again", "still", "yet")
    ]
    rows = [row(text, f"row{number}", f"s{number}") for number, text in enumerate(variants)]
    assert find_leaks(rows, [ITEM], PARAMS, encoders).contamination.matches == []
    assert len(find_leaks(rows[:3], [ITEM], PARAMS, encoders).contamination.matches) == 3
    one_subject = [row(text, f"row{number}", "s") for number, text in enumerate(variants)]
    assert len(find_leaks(one_subject, [ITEM], PARAMS, encoders).contamination.matches) == 10


def test_many_paraphrases_in_rows_that_name_no_subject_do_not_excuse_each_other(encoders: Encoders) -> None:
    """As with copies: ten leaks of one item are ten leaks."""
    words = ("once", "twice", "now", "soon", "often", "daily", "rarely", "again", "still", "yet")
    rows = [row(f"{SAID_AGAIN} {word}", f"row{number}") for number, word in enumerate(words)]
    others = [external(sentence(number, 14), number + 2) for number in range(6)]
    found = find_leaks(rows, [ITEM, *others], PARAMS, encoders).contamination.matches
    assert {(match.row, match.item) for match in found} == {(one.id, "item-1") for one in rows}


def test_shared_names_make_up_for_a_lesser_margin() -> None:
    def one(margin: float, shared: float) -> Similar:
        match = Match(row="r", item="i", benchmark="b", rule="embedding", level="text", overlap=0.7, evidence="")
        return Similar(match, margin, shared, shared >= PARAMS.embedding_named)

    lesser = (PARAMS.embedding_named_margin + PARAMS.embedding_margin) / 2
    kept = {(margin, shared) for margin in (lesser, 0.5) for shared in (0.0, 0.2, 0.6) if matching([one(margin, shared)], PARAMS)}
    assert kept == {(lesser, 0.6), (0.5, 0.2), (0.5, 0.6)}


def test_rare_words_weigh_more_than_common_ones() -> None:
    weights = Weights(["the flaw in Quince", "the flaw in Fig", "the flaw in Plum", "the flaws of Pear"])
    name, common = (
        weights.shared(stems("Quince flaw"), stems("Quince hole")),
        weights.shared(stems("Quince flaw"), stems("Fig flaw")),
    )
    assert 1 >= name > 0.5 > common >= 0
    assert weights.shared(stems(""), stems("x")) == 0


def test_items_that_are_all_alike_ask_for_more(encoders: Encoders) -> None:
    alike = [
        external(f"A flaw in Product{number} lets an attacker read secret files of other tenants", number) for number in range(9)
    ]
    about_another = row("A flaw in Fig Proxy allows intruder view private documents of other tenants")
    assert find_leaks([about_another], alike[:1], PARAMS, encoders).contamination.matches
    assert not [
        match for match in find_leaks([about_another], alike, PARAMS, encoders).contamination.matches if match.rule == "embedding"
    ]


def test_a_pair_known_by_its_words_is_not_read_again(encoders: Encoders) -> None:
    found = find_leaks([row(ITEM.text)], [ITEM], PARAMS, encoders)
    assert [match.rule for match in found.contamination.matches] == ["13-gram"]
    assert encoders.sentence.asked == []  # type: ignore[attr-defined]


def test_a_known_pair_hides_no_other_pair(encoders: Encoders) -> None:
    """Items too short to be looked for have numbers, too: with 3 items and 1 view, pair (0, 2) once hid pair (2, 0)."""
    items = [ITEM, external("What is a SAN?", 2), external("Who?", 3, identifiers=frozenset({"CVE-2031-1003"}))]
    rows = [row("see CVE-2031-1003", "known"), row("nothing of interest here", "clean"), row(SAID_AGAIN, "leak")]
    found = find_leaks(rows, items, PARAMS, encoders).contamination.matches
    assert {match.row: match.rule for match in found} == {"known": "identifier", "leak": "embedding"}


def test_without_an_encoder_the_other_rules_run_and_the_state_is_told() -> None:
    found = find_leaks([row(ITEM.text), row(SAID_AGAIN, "two")], [ITEM], PARAMS, None, "no network")
    assert [match.row for match in found.contamination.matches] == ["row"]
    assert found.embedding == "no network" != CHECKED


def test_an_answer_is_part_of_what_is_looked_for(encoders: Encoders) -> None:
    question = external(
        "Which method stops forged pages from sending orders", 1, answer="unpredictable synchroniser token in forms"
    )
    stated = row("Orders from forged pages stops unpredictable synchroniser token in forms", "stated")
    cosines = {
        bool(one.answer): find_paraphrases([stated], build_index([one], PARAMS), encoders, PARAMS)[0].match.overlap
        for one in (question, external(question.text, 1))
    }
    assert cosines[True] > cosines[False] + 0.1


def test_excerpts_hold_no_credential(encoders: Encoders) -> None:
    key = "AKIA" + "Q7ZXW3RTYU5PLMK2"
    item = external(f"The tool was found to ship with {key} as its key for every customer of the shop", 1)
    (match,) = find_leaks([row(item.text)], [item], PARAMS, encoders).contamination.matches
    assert isinstance(match, Match)
    assert key.casefold() not in match.evidence.casefold()
    assert "[...]" in match.evidence or "[credential]" in match.evidence


def test_passages_cover_every_run_of_sentences_and_name_their_text() -> None:
    found = windows_of(["One two three four five six. Seven eight nine ten.", "", "Alone\n\n- x y z"])
    passages = {(int(text), found.passage(number)) for number, text in enumerate(found.texts)}
    assert (0, "One two three four five six.") in passages
    assert (0, "One two three four five six. Seven eight nine ten.") in passages
    assert (2, "Alone - x y z") in passages
    assert list(found.words) == sorted(found.words)
    assert windows_of(["", "..."]).sentences == []


def test_candidates_are_the_same_in_small_blocks(encoders: Encoders, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [external(sentence(number, 15), number) for number in range(20)]
    documents = [row(" ".join(sentence(number % 25, 15).split()[::-1]), f"r{number}") for number in range(60)]
    views, corpus = views_of(build_index(items, PARAMS), PARAMS), corpus_of(documents)
    whole = find_candidates(corpus, views, encoders.table, PARAMS, set())
    monkeypatch.setattr("stages.validate.candidates._TEXTS", 7)
    monkeypatch.setattr("stages.validate.candidates._BLOCK", 5)
    parts = find_candidates(corpus, views, encoders.table, PARAMS, set())
    assert whole and [(one.item, one.text, one.passage) for one in whole] == [(one.item, one.text, one.passage) for one in parts]


def test_the_sweep_falls_with_every_threshold(encoders: Encoders) -> None:
    items = [external(sentence(number, 30), number) for number in range(10)]
    rows = [row(" ".join(items[number % 10].text.split()[: 5 + number]), f"r{number}") for number in range(26)]
    found = find_leaks(rows, items, PARAMS, encoders)
    (table,) = sweep(rows, found.index, found.similar, PARAMS).values()
    assert table["ngram"]["8"] == 23 and table["ngram"]["13"] == 18 and table["ngram"]["20"] == 11
    assert table["near"]["0.5"] == 16
    for counts in table.values():
        assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_no_rows_and_no_items(encoders: Encoders) -> None:
    assert find_leaks([], [ITEM], PARAMS, encoders).contamination.matches == []
    assert find_leaks([row("x")], [], PARAMS, encoders).contamination.matches == []
    assert Path(__file__).with_name("paraphrases.jsonl").is_file()
