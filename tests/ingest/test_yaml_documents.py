"""YAML of strangers: plain values only, and no document larger than it looks."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.ingest.yaml_documents import BrokenYaml, parse_yaml, parse_yaml_documents

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n".encode() for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


def test_plain_documents() -> None:
    assert parse_yaml(b"a: [1, two]\n") == {"a": [1, "two"]}
    assert parse_yaml_documents(b"a: 1\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
    assert parse_yaml(b"") is None
    assert parse_yaml(b"\xef\xbb\xbfa: 1") == {"a": 1}


def test_a_few_aliases_are_fine() -> None:
    assert parse_yaml(b"a: &x [1]\nb: *x\n") == {"a": [1], "b": [1]}


@pytest.mark.parametrize("before", ["", "\u2028", "\x85", "\u2029"])  # all three also break a line of YAML
def test_an_alias_bomb_is_refused(before: str) -> None:
    with pytest.raises(BrokenYaml, match="unfold"):
        parse_yaml(BOMB.replace(b"*", f"{before}*".encode()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: [1", "expected"),
        (b"a: \xff\xfe", "UTF-8"),
        (b"!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        (b"a: !!python/name:os.system", "could not determine a constructor"),
        (b"- " * 200_000 + b"x", "nested deeper"),
        (b"[" * 200_000, "nested deeper|did not find|exceeded"),
        (b"{a: " * 200_000, "nested deeper|did not find|exceeded"),
        (b"a: *nowhere", "undefined alias"),
        (b"when: 2031-99-99", "month|day"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(BrokenYaml, match=f"(?i){reason}"):
        parse_yaml(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(BrokenYaml):
        parse_yaml_documents(content)
