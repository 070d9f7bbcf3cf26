"""Ask a model the items of a public benchmark: `python -m stages.evaluate run --benchmark NAME --model FOLDER --out FILE`.

The model is a folder (16-bit, int8, NF4) or an OpenAI-compatible server (--model URL --model-name NAME). Predictions are
appended to FILE as they come; the same command goes on with a killed run and repeats no item. Then the scores are printed
as JSON, as `score` does. Exit 0 if all items are answered, 1 if some calls failed, 2 if nothing could be run.
"""

import argparse
import asyncio
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.errors import InputError, SecForgeError
from stages.evaluate.params import EvaluateParams
from stages.evaluate.variants import Variant
from stages.progress import progress
from stages.public_benchmarks.declarations import Declaration, find_benchmark
from stages.public_benchmarks.files import benchmark_file, refuse_overwriting, shots_file
from stages.public_benchmarks.items import PublicItem, read_items
from stages.public_benchmarks.predictions import Predictions
from stages.public_benchmarks.protocols import Asked, answer_batch, ask_items, check_protocol, fits, in_batches, shot_examples
from stages.public_benchmarks.score import actors_of, provenance, runtime_here, settings_here, show
from stages.public_benchmarks.scoring import figures, score_responses
from stages.review.printing import tell
from stages.runtime import Endpoint, Endpoints, RuntimeParams
from stages.tables import file_sha256, write_json

ANSWERED_SO = ("empty", "filtered", "truncated")  # failures of a call that are the model's answer: none


def main(arguments: Sequence[str]) -> int:
    """Entry of the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        refuse_overwriting(options.report, [options.out, options.benchmark_file, options.shots])
        refuse_overwriting(options.out, [options.benchmark_file, options.shots])
        report, missing = run(find_benchmark(options.benchmark), options)
        if options.report:
            write_json(options.report, report)
    except (SecForgeError, OSError, ValueError) as error:
        tell(f"[run] {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("[run] stopped; finished predictions are kept, run the same command to go on.", file=sys.stderr)
        return 130
    show(report)
    if missing:
        print(
            f"[run] {missing:,} items have no answer: their calls failed. Run the same command to ask them again.",
            file=sys.stderr,
        )
    return 1 if missing else 0


def run(benchmark: Declaration, options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """The report, and how many items are still without an answer."""
    runtime = runtime_here()
    path = benchmark_file(benchmark, options.benchmark_file, runtime)
    found = read_items(path, benchmark, keyless=True)
    protocol = check_protocol(benchmark, options.protocol)
    examples = (
        shot_examples(benchmark, found.items, shots_file(benchmark, options.shots, runtime)) if protocol == "five-shot" else []
    )
    asked = ask_items(benchmark, found.items, protocol, examples)[: options.items or None]
    tokens = options.max_new_tokens or benchmark.max_new_tokens
    settings = {
        "benchmark": benchmark.name, "benchmark_sha256": file_sha256(path), "items": len(asked), "protocol": protocol,
        "model": identity(options), "max_new_tokens": tokens, "batch": options.batch,
        "examples": [item.id for item in examples],
    }  # fmt: skip
    with Predictions(options.out, settings) as predictions:
        if _is_address(options.model):
            ask_server(benchmark, asked, predictions, options, runtime, tokens)
        else:
            ask_folder(benchmark, asked, predictions, options, runtime, tokens, protocol)
        done = predictions.done
    answered = [one.item for one in asked if one.item.id in done]
    report = {**settings, **_scores(benchmark, answered, done, runtime), **provenance(benchmark, path, found)}
    return report, len(asked) - len(answered)


def _scores(
    benchmark: Declaration, items: Sequence[PublicItem], done: Mapping[str, Mapping[str, Any]], runtime: RuntimeParams
) -> dict[str, Any]:
    """The figures of the answered items; a file without keys can be asked but not scored."""
    if not items or not (benchmark.extractor == "refusal" or all(item.key for item in items)):
        return {"n": len(items), "note": "nothing is scored: the file has no keys" if items else "nothing is answered"}
    responses = [done[item.id]["response"] for item in items]
    return figures(benchmark, score_responses(benchmark, items, responses, actors_of(benchmark, None, runtime)), settings_here())


def ask_folder(
    benchmark: Declaration, asked: Sequence[Asked], predictions: Predictions, options: argparse.Namespace,
    runtime: RuntimeParams, tokens: int, protocol: str,
) -> None:  # fmt: skip
    """All batches that are not whole in `predictions`; the model is loaded only if there is one."""
    from stages.base.location import resolve_base
    from stages.evaluate.variants import loaded

    left = [batch for batch in in_batches(asked, options.batch) if any(one.item.id not in predictions.done for one in batch)]
    if not left:
        return
    too_long = 0
    with (
        loaded("model", resolve_base(Path(options.model)), runtime) as variant,
        progress(total=len(asked), label=benchmark.name, unit="items") as bar,
    ):
        bar.update(len(asked) - sum(map(len, left)))
        for batch in left:
            fresh = answer_fresh(variant, batch, predictions.done, benchmark, protocol, tokens)
            predictions.add(fresh)
            too_long += sum("note" in record for record in fresh)
            bar.update(len(batch))
    if too_long:
        print(f"[run] {too_long:,} items do not fit into the model's context: counted as empty answers.", file=sys.stderr)


def answer_fresh(
    variant: Variant, batch: Sequence[Asked], done: Collection[str], benchmark: Declaration, protocol: str, tokens: int
) -> list[dict[str, str]]:
    """Records of a batch's items that have none yet. The whole batch is run, as its answers may depend on the padding."""
    fitting = [one for one in batch if fits(variant, one, tokens)]
    texts = answer_batch(variant, fitting, protocol, benchmark, tokens) if fitting else []
    records = [{"item_id": one.item.id, "response": text} for one, text in zip(fitting, texts, strict=True)]
    records += [{"item_id": one.item.id, "response": "", "note": "too-long"} for one in batch if one not in fitting]
    return [record for record in records if record["item_id"] not in done]


def ask_server(
    benchmark: Declaration, asked: Sequence[Asked], predictions: Predictions, options: argparse.Namespace,
    runtime: RuntimeParams, tokens: int,
) -> None:  # fmt: skip
    """Every item without a prediction through the client of `stages.llm`: its cache, limits and retries."""
    from stages.llm.client import CallFailed, Request, map_rows, open_client
    from stages.llm.params import LLMParams, Role

    role = Role(provider="openai", model=options.model_name, temperature=0.0, repetition_penalty=1.0, max_tokens=tokens)
    endpoint = Endpoint(base_url=options.model, api_key_env=options.api_key_env, max_concurrency=options.concurrency)
    settings = {name: getattr(runtime, name) for name in ("timeout", "retries", "prices", "budget", "shared_cache")}
    here = RuntimeParams(endpoints=Endpoints(teacher=[endpoint]), **settings)
    left = [one for one in asked if one.item.id not in predictions.done]

    async def work() -> None:
        async with open_client("evaluate", LLMParams(teacher=role), here, Path("models/base")) as client:

            async def ask(one: Asked) -> None:
                turns = [{"role": "system", "content": one.item.system}] if one.item.system else []
                messages = [*turns, {"role": "user", "content": one.item.prompt}]
                try:
                    text = (
                        await client.chat(Request(purpose=f"evaluate.{benchmark.name}", messages=messages, allow_truncated=True))
                    ).text
                except CallFailed as failure:
                    if failure.reason not in ANSWERED_SO:
                        raise
                    text = ""
                predictions.add([{"item_id": one.item.id, "response": text}])

            await map_rows(left, ask, concurrency=here.concurrency, label=benchmark.name, client=client)

    if left:
        asyncio.run(work())


def identity(options: argparse.Namespace) -> str:
    """What tells this model from another: the hash of a folder's weights, or a server's model name. Raises InputError."""
    if _is_address(options.model):
        if not options.model_name:
            raise InputError("--model is the address of a server, but no model is named.", remedy="Name it with --model-name.")
        if options.protocol not in ("", "generative"):
            raise InputError(
                f"A server has no protocol {options.protocol!r}.", allowed="generative", remedy="Give the model's folder."
            )
        return options.model_name
    from stages.base.location import hash_model, resolve_base
    from stages.evaluate.variants import check_folder

    folder = resolve_base(Path(options.model))
    check_folder("model", folder)
    return f"sha256:{hash_model(folder)}"


def _is_address(model: str) -> bool:
    return model.startswith(("http://", "https://"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate run", description=__doc__.split("\n\n")[0])
    parser.add_argument("--benchmark", required=True, metavar="NAME", help="one of `python -m stages.evaluate score --list`")
    parser.add_argument(
        "--benchmark-file", type=Path, metavar="FILE", help="the benchmark as published (default: mirror or download)"
    )
    parser.add_argument(
        "--model", required=True, metavar="FOLDER|URL", help="a model folder, or the address of a server (.../v1)"
    )
    parser.add_argument("--model-name", default="", metavar="NAME", help="the model's name on the server")
    parser.add_argument("--api-key-env", default="", metavar="NAME", help="the variable that holds the server's key")
    parser.add_argument(
        "--concurrency", type=int, default=16, metavar="N", help="calls in flight at the server (default: %(default)s)"
    )
    parser.add_argument(
        "--protocol", default="", metavar="NAME", help="generative, loglikelihood, five-shot (default: the benchmark's first)"
    )
    parser.add_argument("--shots", type=Path, metavar="FILE", help="examples of five-shot, in the form of the benchmark's file")
    parser.add_argument("--items", type=int, default=0, metavar="N", help="only the first N (default: all)")
    parser.add_argument(
        "--batch",
        type=int,
        default=EvaluateParams().generation_batch,
        metavar="N",
        help="prompts together (default: %(default)s)",
    )
    parser.add_argument("--max-new-tokens", type=int, default=0, metavar="N", help="of an answer (default: the benchmark's)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="predictions, JSONL; an unfinished file is gone on with"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.json", help="write the scores here as well")
    return parser
