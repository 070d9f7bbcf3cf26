import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.validate.ngrams import chunks, grams, text_hashes, tokens, words


def test_case_line_breaks_quotes_and_invisible_characters_do_not_matter() -> None:
    plain, dressed = "the parser's buffer overflows", "The \u201cparser\u2019s\u201d buf\u200bfer\n  OVERFLOWS!"
    assert words(plain) == words(dressed)
    one, two = text_hashes(tokens([plain, dressed]))
    assert one == two


def test_ngrams_never_cross_texts() -> None:
    found = grams(tokens(["a b c", "", "d e", "f g h i"]), 3)
    assert found.texts.tolist() == [0, 3, 3]
    assert found.positions.tolist() == [0, 0, 1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8), st.integers(1, 5))
def test_hashed_ngrams_are_those_of_the_words(texts: list[str], n: int) -> None:
    expected = [tuple(run) for text in map(words, texts) for run in (text[i : i + n] for i in range(len(text) - n + 1))]
    hashes = grams(tokens(texts), n).hashes.tolist()
    assert len(hashes) == len(expected)
    meaning = dict(zip(hashes, expected, strict=True))
    assert len(meaning) == len(set(expected))
    assert all(meaning[value] == run for value, run in zip(hashes, expected, strict=True))


def test_chunks_give_the_same_hashes_as_one_piece() -> None:
    texts = [f"text number {number} " + "filler words go here " * 2000 for number in range(60)]  # about 2.5 MB
    pieces = list(chunks(texts))
    assert len(pieces) > 1 and pieces[1][0] > 0
    assert np.concatenate([part.hashes for _, part in pieces]).tolist() == tokens(texts).hashes.tolist()


def test_text_hashes_depend_on_order_and_length() -> None:
    assert len(set(text_hashes(tokens(["a b", "b a", "a b b", "", "a"])).tolist())) == 5
