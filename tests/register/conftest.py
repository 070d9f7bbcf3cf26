"""A store with three versions, made once; every test works on a copy of its own."""

from pathlib import Path

import pytest

from tests.register.made import BETTER, GOOD, WORSE, add_version, copy_root, make_root


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 (good), 2 (better) and 3 (worse, the candidate); nobody is champion."""
    root = make_root(tmp_path_factory.mktemp("three") / "workspace")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow sets it to whatever a test connected to last
        for name, right in (("a1", GOOD), ("b2", BETTER), ("c3", WORSE)):
            environment.delenv("MLFLOW_TRACKING_URI", raising=False)
            add_version(root, name, right)
    return root


@pytest.fixture
def root(three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `three` that a test may change and damage."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return copy_root(three, tmp_path / "workspace")
