import pytest

from stages.errors import InputError
from stages.evaluate.extractors import extract, is_correct


def test_an_unknown_key_kind_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="cvss-vector[\\s\\S]*letter"):
        extract("cvss-vector", "text")


def test_naming_many_keys_is_not_right() -> None:
    assert is_correct(["CWE-79"], ["CWE-79", "CWE-80"])
    assert is_correct(["CWE-80", "CWE-79"], ["CWE-79", "CWE-80"])
    assert not is_correct(["CWE-79", "CWE-89"], ["CWE-79"])
    assert not is_correct([], ["CWE-79"])
