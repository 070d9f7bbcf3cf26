"""Organisation-defined values read as prose."""

import pytest

from stages.ingest.readers.nist import Parameter, _filled

PARAMETERS = {
    "f": Parameter("f", "frequency"),
    "r": Parameter("r", "organization-defined personnel or roles"),
    "n": Parameter("n", "number"),
    "s": Parameter("s", select={"how-many": "one-or-more", "choice": ["by {{ insert: param, r }}", "at once", "never"]}),
    "loop": Parameter("loop", select={"choice": ["{{ insert: param, loop }}"]}),
}


@pytest.mark.parametrize(
    ("prose", "text"),
    [
        ("Review plans {{ insert: param, f }}.", "Review plans at an organization-defined frequency."),
        ("Review at {{ insert: param, f }}.", "Review at an organization-defined frequency."),
        ("Tell {{ insert: param, r }}.", "Tell organization-defined personnel or roles."),
        ("Allow {{ insert: param, n }} attempts in the {{ insert: param, f }}.", "Allow an organization-defined number of attempts in the organization-defined frequency."),
        ("Wait a {{ insert: param, n }} or take other {{ insert: param, n }}.", "Wait an organization-defined number or take other organization-defined number."),
        ("Act {{ insert: param, s }}.", "Act by organization-defined personnel or roles, at once and/or never."),
        ("Use {{ insert: param, gone }}.", "Use an organization-defined value."),
    ],
)  # fmt: skip
def test_values_are_prose(prose: str, text: str) -> None:
    assert _filled(prose, PARAMETERS) == text


def test_a_parameter_that_names_itself_ends() -> None:
    assert "{{" in _filled("{{ insert: param, loop }}", PARAMETERS)
