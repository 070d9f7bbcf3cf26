"""Bring the base model into a plain Hugging Face folder at models/base, or point at one."""

from pathlib import Path

from stages.stage import Stage, stage_main


def run(stage: Stage) -> None:
    """params -> models/base."""
    from stages.base.params import BaseParams
    from stages.base.provide import provide_base
    from stages.runtime import RuntimeParams

    params = stage.section("base", BaseParams)
    files = provide_base(params, stage.section("runtime", RuntimeParams), Path("models/base"))
    for file in files:
        stage.record(str(file))
    stage.finish({"base model": 1}, {"files": len(files)})


if __name__ == "__main__":
    stage_main("base", run, __doc__)
