"""The params that a try rests on, and what a run keeps of them."""

from pathlib import Path
from typing import Any

import msgspec

from stages.config import Params, load_section
from stages.enrich.params import EnrichParams
from stages.errors import InputError
from stages.formats.params import FormatsParams
from stages.ground.params import GroundParams
from stages.llm.params import LLMParams
from stages.review.schema import Run
from stages.runtime import RuntimeParams


class Settings(Params):
    """The sections of the params file that a try rests on."""

    llm: LLMParams
    ground: GroundParams
    enrich: EnrichParams
    formats: FormatsParams
    runtime: RuntimeParams


def load_settings(params_file: Path) -> Settings:
    """The sections as the file says now. A page may be open for days, and who tries rows waits for them:

    seconds of the budget do not count here, and requests are sent, from this process, not written into batch files.
    """
    runtime = load_section("runtime", RuntimeParams, params_file)
    budget = msgspec.structs.replace(runtime.budget, seconds=0.0)
    return Settings(
        llm=load_section("llm", LLMParams, params_file),
        ground=load_section("ground", GroundParams, params_file),
        enrich=load_section("enrich", EnrichParams, params_file),
        formats=load_section("formats", FormatsParams, params_file),
        runtime=msgspec.structs.replace(runtime, budget=budget, batch_files="", engine="local"),
    )


def shown(settings: Settings) -> dict[str, Any]:
    """What a run says of its settings, as it is kept: everything that decides about its rows."""
    return msgspec.json.decode(msgspec.json.encode({name: getattr(settings, name) for name in ("llm", "ground", "enrich")}))


def refuse_settings(run: Run, settings: Settings) -> None:
    """Raises InputError if rows tried with `settings` would stand in a run that says it has others."""
    if shown(settings) != run.settings:
        raise InputError(
            f"llm, ground or enrich of params.yaml are not those with which the run {run.id} was begun: its rows would not compare.",
            remedy="Try the same rows again in a new run; if another run is still using the earlier params, wait for its end.",
        )
