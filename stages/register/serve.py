"""An OpenAI-compatible server for a registered version on 127.0.0.1; a question is asked before the address is told.

No temperature means greedy decoding, as in the evaluation. With a GPU and vLLM installed, vLLM serves, else transformers.
"""

import argparse
import asyncio
import importlib.util
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stages.errors import InputError
from stages.hardware import choose_device, set_threads
from stages.loopback import HOST, listen
from stages.register.resolve import fetch_folder
from stages.register.store import Store, open_store
from stages.register.tracking import resolve

if TYPE_CHECKING:
    from starlette.applications import Starlette

SERVED = ("finetuned", "int8", "nf4")  # whole models in transformers' form
QUESTION = "Which weakness is the root cause of this vulnerability? A parser writes past the end of a heap buffer."


def main(arguments: Sequence[str]) -> str:
    """Entry of the command: serves until Ctrl-C; with --smoke it ends after one question."""
    parser = argparse.ArgumentParser(prog="python -m stages.register serve", description=__doc__)
    parser.add_argument("alias", nargs="?", default="champion", help="champion, previous, candidate (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0: any free one (default: %(default)s)")
    parser.add_argument("--max-tokens", type=int, default=512, help="most new tokens of an answer (default: %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="end after the smoke test")
    options = parser.parse_args(arguments)
    store = open_store(Path.cwd())
    version = resolve(store.client, store.params.model, options.alias)
    if version["variant"] not in SERVED:
        raise InputError(f"`{options.alias}` is the variant {version['variant']}.", allowed=", ".join(SERVED))
    folder = fetch_folder(store, version)
    set_threads(store.runtime.threads)  # before torch is loaded
    if choose_device(store.runtime.device) == "cuda" and importlib.util.find_spec("vllm") and not options.smoke:
        command = vllm_command(folder, options.alias, options.port)
        os.execv(command[0], command)
    return serve(store, version, folder, options.alias, options.port, options.max_tokens, options.smoke)


def serve(store: Store, version: dict[str, str], folder: Path, alias: str, port: int, most_tokens: int, smoke: bool) -> str:
    """Load, listen, ask one question, serve. Raises InputError if the port is taken or no answer comes."""
    from stages.evaluate.variants import load_variant
    from stages.register.serving.answering import Answering
    from stages.register.serving.app import build_app

    with listen(port) as listener:
        names = [alias, f"{version['model']}-v{version['version']}"]
        variant = load_variant(version["variant"], folder, store.runtime)
        return asyncio.run(_serve(listener, build_app(Answering(variant), names, most_tokens), alias, smoke))


async def _serve(listener: socket.socket, app: "Starlette", alias: str, smoke: bool) -> str:
    import uvicorn

    config = uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False, server_header=False,
                            timeout_graceful_shutdown=3)  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    address = f"http://{HOST}:{listener.getsockname()[1]}/v1"
    try:
        said = await asyncio.to_thread(ask, address, alias)
        print(f"[register] {said}\n[register] `{alias}` answers at {address}; Ctrl-C stops it.", flush=True)
        if not smoke:
            await running
    finally:
        server.should_exit = True
        await running
    return "[register] server stopped."


def ask(address: str, model: str) -> str:
    """Ask the smoke question as any client would. Raises InputError if the answer is none."""
    body = f'{{"model": "{model}", "max_tokens": 16, "messages": [{{"role": "user", "content": "{QUESTION}"}}]}}'.encode()
    request = urllib.request.Request(f"{address}/chat/completions", body, {"Content-Type": "application/json"})
    began = time.perf_counter()
    try:
        import json

        with urllib.request.urlopen(request, timeout=300) as response:
            answer = json.load(response)
        text, tokens = answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"the server at {address} gave no answer: {error}", remedy="`dvc repro quantize` makes the model again."
        ) from error
    return f"smoke test: {tokens} tokens in {time.perf_counter() - began:.1f} s: {text!r}"


def vllm_command(folder: Path, alias: str, port: int) -> list[str]:
    """The command line of vLLM's own server for the same folder and name, greedy unless a request says otherwise."""
    return [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", alias,
            "--host", HOST, "--port", str(port), "--override-generation-config", '{"temperature": 0}']  # fmt: skip
