"""Skips are visible: with SECFORGE_STRICT set (as in CI) only a missing GPU or mirror may skip a test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

MAY_SKIP = ("gpu", "mirror")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skip outside the groups that may skip into a failure."""
    report = yield
    if os.environ.get("SECFORGE_STRICT") and report.skipped and not any(map(item.get_closest_marker, MAY_SKIP)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of real upstream files; a test that needs it is marked `mirror`."""
    folder = Path(os.environ.get("SECFORGE_MIRROR") or Path(__file__).parents[2] / "shared" / "mirror")
    if not folder.is_dir():
        pytest.skip(f"no mirror of upstream files: {folder} is not there (SECFORGE_MIRROR names another folder)")
    return folder
