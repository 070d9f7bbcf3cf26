"""What a stranger's file may hold in the place of a record."""

from hypothesis import HealthCheck
from hypothesis import strategies as st

SLOW = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)  # each example writes a file; machines are shared
ANYTHING = st.recursive(  # any JSON, in small
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
NO_DOCUMENTS = [  # bytes that are no JSON document of any reader
    b"",
    b'{"type": "bundle", "objects": [{"type": "attack-pa',
    b'{"type": "bundle"}',
    b"[" * 100_000 + b"]" * 100_000,
    b'\xff\xfe{"type": "bundle"}',
]
YAML_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
