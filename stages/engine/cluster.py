"""Starting or joining Ray, quietly: no dashboard, no usage statistics, on the loopback address, no key in any environment.

A cluster that is joined (`runtime.ray_address`) must be of the user's own, in a closed network: whoever has its token
and reaches its ports can run code (Ray pickles functions between the processes of a cluster). Nothing is read from it
but the encoded results of rows. Requests and replies travel unencrypted between its machines unless Ray's TLS is set up.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

import stages
from stages.errors import ParamsError, SecForgeError
from stages.hardware import usable_cores
from stages.runtime import RuntimeParams

STORE = 512 * 1024 * 1024  # bytes of shared memory for rows on their way; Ray puts more on the disk
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # a late thread of Ray Data must not start it again
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def import_ray() -> Any:
    """The package, or an error that names the extra."""
    os.environ.update(QUIET)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ParamsError(
            f"runtime.engine is `ray`, but Ray cannot be imported ({error}).",
            remedy="pip install -c constraints.txt -e '.[ray]', or set runtime.engine to `local`.",
        ) from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # its errors come to the stage as exceptions
    return ray


@contextmanager
def cluster(runtime: RuntimeParams) -> Iterator[Any]:
    """Ray, started here or joined; at the end it is stopped or left, whatever happened."""
    ray = import_ray()
    log = {"logging_level": logging.CRITICAL, "log_to_driver": True, "configure_logging": False}
    path = {"env_vars": {"PYTHONPATH": _python_path()}}
    with _without(secret_names(runtime)):
        try:
            if runtime.ray_address:
                ray.init(address=runtime.ray_address, runtime_env=path, **log)
            else:
                ray.init(
                    num_cpus=workers_of(runtime) + 1, num_gpus=0, include_dashboard=False, object_store_memory=STORE,
                    _node_ip_address="127.0.0.1", runtime_env=path, **log,
                )  # fmt: skip
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where = f"at {runtime.ray_address}" if runtime.ray_address else "here"
            raise SecForgeError(
                f"Ray could not be {'joined' if runtime.ray_address else 'started'} {where}: {error}",
                remedy="See runtime.ray_address in params.yaml (empty: one is started), or set runtime.engine to `local`.",
            ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def workers_of(runtime: RuntimeParams) -> int:
    """Processes that work on rows, where Ray is started here."""
    return runtime.workers or usable_cores()


def secret_names(runtime: RuntimeParams) -> list[str]:
    """The variables that hold keys, of all servers that `runtime` names."""
    return sorted(set(_named(msgspec.to_builtins(runtime))))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if name := value.get("api_key_env"):
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _named(one)


@contextmanager
def _without(names: list[str]) -> Iterator[None]:
    """Processes that are started in the block do not inherit these variables."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _python_path() -> str:
    """Where workers find this project: an installed one needs nothing, a checkout is named."""
    root = str(Path(stages.__file__).resolve().parents[1])
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH", "")])])
