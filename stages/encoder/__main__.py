"""Bring a sentence encoder into models/encoder, with a table of token vectors distilled from it."""

from pathlib import Path

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """params -> models/encoder."""
    from stages.encoder.params import EncoderParams
    from stages.encoder.provide import provide_encoder
    from stages.runtime import RuntimeParams

    files = provide_encoder(
        stage.section("encoder", EncoderParams), stage.section("runtime", RuntimeParams), Path("models/encoder")
    )
    for file in files:
        stage.record(str(file))
    stage.finish({"encoder": 1}, {"files": len(files)})


if __name__ == "__main__":
    stage_main("encoder", run, __doc__)
