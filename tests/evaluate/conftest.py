from pathlib import Path

import pytest

from stages.evaluate.variants import Variant, load_variant
from stages.runtime import RuntimeParams
from tests.tiny_model import make_tiny_model

RUNTIME = RuntimeParams(device="cpu", dtype="float32", threads=2)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Variant:
    return load_variant("base", tiny_folder, RUNTIME)
