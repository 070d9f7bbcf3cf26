"""Light stages stay light: nothing of theirs imports a heavy library, and no stage's help does."""

import pytest

from tests.timings.stage_start import ALL, LIGHT, heavy_imports, heavy_imports_of_code


@pytest.mark.parametrize("stage", LIGHT)
def test_no_module_of_a_light_stage_imports_a_heavy_library(stage: str) -> None:
    assert not heavy_imports_of_code(stage)


@pytest.mark.parametrize("stage", ALL)
def test_help_imports_no_heavy_library(stage: str) -> None:
    assert not heavy_imports(stage)
