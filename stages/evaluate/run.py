"""The stage between its inputs and outputs: which files are read, what resumes, what is written."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stages.base.location import POINTER, resolve_base
from stages.benchmarks.schema import BenchmarkItem
from stages.errors import InputError
from stages.evaluate.params import EvaluateParams
from stages.evaluate.partial import Piece, Pieces
from stages.evaluate.schema import Prediction
from stages.evaluate.scores import cost_table, plot_csv, summarise
from stages.evaluate.systems import check_runs, run_baselines, run_variants, select_items
from stages.evaluate.variants import check_folder
from stages.evaluate.variations import PLAIN, formats_of_items
from stages.finetune.schema import TrainedRow
from stages.formats.schema import Format
from stages.hardware import choose_device, choose_dtype, set_threads
from stages.runtime import RuntimeParams
from stages.tables import write_text
from stages.validate.schema import TouchedItem, TrainingRow
from stages.variants import FOLDERS, VARIANTS

if TYPE_CHECKING:
    from stages.stage import Stage

ITEMS, TRAIN = "data/benchmarks/items.parquet", "data/validate/train.parquet"
TRAINED, FORMATS = "data/finetune/rows.parquet", "data/formats/formats.parquet"
TOUCHED = "data/validate/touched.parquet"
BASE_MANIFEST = Path("data/base/manifest.json")


def run_evaluate(stage: "Stage") -> None:
    """Read, ask every system, score, write."""
    params, runtime = stage.section("evaluate", EvaluateParams), stage.section("runtime", RuntimeParams)
    set_threads(runtime.threads)
    items, train = stage.read(ITEMS, BenchmarkItem), stage.read(TRAIN, TrainingRow)
    trained = {row.id for row in stage.read(TRAINED, TrainedRow)}
    if not items:
        raise InputError(
            f"{ITEMS} has no items.", remedy="Look at metrics/benchmarks.json: nothing was held out, or all was rejected."
        )
    check_runs(params, items)
    formats = needed_formats(stage, params, items)
    folders, note = variant_folders(params), base_note(BASE_MANIFEST)
    device = choose_device(runtime.device)
    resolved = [device, choose_dtype(runtime.dtype, device)]
    inputs = [ITEMS, TRAIN, *([FORMATS] if formats else []), *_model_files(folders)]
    pieces = Pieces(stage.work(*inputs, resolved=resolved))
    done = run_baselines(items, train, params) + run_variants(items, train, folders, params, runtime, pieces, formats)
    predictions = _predictions(done)
    touched = {(one.benchmark, one.item) for one in stage.read(TOUCHED, TouchedItem)}
    metrics = summarise(predictions, items, train, trained, params, note, touched)
    stage.write("data/evaluate/predictions.parquet", predictions, Prediction)
    stage.metrics(metrics)
    stage.timings(cost_table(piece.cost for piece in done))
    write_text("metrics/evaluate_scores.csv", plot_csv(metrics["scores"]))
    stage.finish({"items": len(items), "models": len(folders)}, {"predictions": len(predictions), "scores": len(done)})


def needed_formats(stage: "Stage", params: EvaluateParams, items: Iterable[BenchmarkItem]) -> dict[str, Format]:
    """Formats by the task of an item, for the runs that show one; nothing is read where no run does."""
    varied = [run for run in params.runs if run.format != PLAIN]
    if not varied:
        return {}
    asked = [item for run in varied for item in select_items(items, run.benchmark, run.items)]
    return formats_of_items(asked, stage.read(FORMATS, Format))


def variant_folders(params: EvaluateParams) -> dict[str, Path]:
    """Folder of every variant that a run names. Raises InputError for one that is missing or has no weights."""
    named = [name for name in VARIANTS if any(name in run.systems for run in params.runs)]
    folders = {name: resolve_base(Path(FOLDERS[name])) if name == "base" else Path(FOLDERS[name]) for name in named}
    for name, folder in folders.items():
        check_folder(name, folder)
    return folders


def base_note(manifest: Path) -> str:
    """What has to be said wherever quantised variants are compared: the base itself may come out of a quantised file."""
    try:
        config = msgspec.json.decode(manifest.read_bytes())["config"]["base"]
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise InputError(f"{manifest} cannot be read: {error}", remedy="Run `dvc repro base`, which makes it.") from error
    member = config.get("member", "") if config.get("kind") == "wheel" else ""
    if not member.endswith(".gguf"):
        return ""
    name = Path(member).stem
    return f"The 16-bit base model is dequantised from {name}: retention of int8 and nf4 is relative to a model that was already quantised."


def _model_files(names: Iterable[str]) -> list[str]:
    """The files of the models (0.2 s to hash 270 MB); a pointer speaks for its model."""
    pointers = {name: Path(FOLDERS[name]) / POINTER for name in sorted(names)}
    models = [[pointer] if pointer.is_file() else check_folder(name, Path(FOLDERS[name])) for name, pointer in pointers.items()]
    return [str(path) for path in chain.from_iterable(models)]


def _predictions(pieces: list[Piece]) -> list[Prediction]:
    rows = [row for piece in pieces for row in piece.predictions]
    return sorted(rows, key=lambda row: (row.benchmark, row.protocol, row.system, row.item_id))
