"""A folder as stage `encoder` makes it, of the tiny encoder: made once for all tests of a module."""

from pathlib import Path

from stages.encoder.params import EncoderParams
from stages.encoder.provide import provide_encoder
from stages.runtime import RuntimeParams
from tests.tiny_encoder import make_tiny_encoder


def make_encoder_folder(folder: Path) -> Path:
    """`folder`/encoder with minilm and static."""
    model = make_tiny_encoder(folder / "model")
    params = EncoderParams(kind="folder", path=str(model), dimensions=16)
    provide_encoder(params, RuntimeParams(offline=True), folder / "encoder")
    return folder / "encoder"
