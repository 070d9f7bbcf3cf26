"""`python -m stages.embed gc` keeps the vectors of the present encoder, and only those."""

from pathlib import Path

import pytest

from stages.embed.__main__ import main
from stages.embed.cache import VectorCache
from stages.embed.encoders import MiniLMEncoder
from tests.ground.encoder_folder import make_encoder_folder


def test_the_present_encoder_s_vectors_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("runtime: {}\n", encoding="utf-8")
    assert main(["gc"]) == 1 and "models/encoder/minilm" in capsys.readouterr().err
    make_encoder_folder(tmp_path / "models")
    encoder = MiniLMEncoder(Path("models/encoder/minilm"))
    first = encoder.encode_kept(["a buffer", "a page"])
    with VectorCache("another", encoder.dimensions) as cache:
        cache.complete(["a buffer"], encoder.encode)
    assert main(["gc"]) == 0 and "1 vectors of other encoders removed, 2 left" in capsys.readouterr().out
    monkeypatch.setattr(MiniLMEncoder, "_states", lambda *_: pytest.fail("made again"))
    assert (encoder.encode_kept(["a buffer", "a page"]) == first).all()
