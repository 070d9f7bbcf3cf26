from typing import Any

import pytest

from stages.errors import ParamsError
from stages.experiments.overrides import overrides, rendered

VALUES: list[Any] = [
    True,
    8,
    0.002,
    "draft",
    "1e-4",
    "null",
    "",
    'says "yes", {x: [y]} = z \\',
    'a\\"b',
    ["rewritten", "tie"],
    [],
    {"cve-to-cwe": 0.9, "other": 0.1},
    [{"benchmark": "secforge-mcq", "systems": ["base", "int8"], "items": 0, "deep": {"a": [True]}}],
]


@pytest.mark.parametrize("value", VALUES)
def test_dvc_reads_back_what_was_meant(value: Any) -> None:
    from dvc.utils.hydra import to_hydra_overrides

    [read] = to_hydra_overrides(overrides({"finetune.mix.cve-to-cwe": value}))
    assert read.value() == value and type(read.value()) is type(value) and not read.is_sweep_override()
    assert read.key_or_group == "finetune.mix.cve-to-cwe" and read.is_force_add()


@pytest.mark.parametrize("value", ["${oc.env:HOME}", None, {1: 2}, {"a b": 1}, object()])
def test_what_the_grammar_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ParamsError):
        rendered(value)


@pytest.mark.parametrize("key", ["enrich", "enrich.keep=1", "a.b c", "params.yaml:a.b", "~a.b"])
def test_a_key_is_never_more_than_a_key(key: str) -> None:
    with pytest.raises(ParamsError):
        overrides({key: 1})
