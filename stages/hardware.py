"""Which device, number type and thread count suit this machine, and how much libraries say of it.

Import this before torch and call `set_threads` first: the OpenMP runtime reads its variables once, when torch is
loaded. Without `GOMP_SPINCOUNT=0` waiting threads spin, and generation on a busy machine is six times slower.
"""

import logging
import os
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # the last is ARM's name


def set_threads(threads: int = 0) -> None:
    """Settle the OpenMP variables (0 threads: every core this process may use); values of the user's own stay."""
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    os.environ.setdefault("OMP_NUM_THREADS", str(threads or usable_cores()))


def usable_cores() -> int:
    """Cores this process may run on, which in a container is less than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_device(wanted: str = "auto") -> str:
    """`cuda` or `cpu`; `auto` takes the GPU if torch sees one. Imports torch."""
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_dtype(wanted: str = "auto", device: str = "cpu") -> str:
    """`bfloat16` or `float32`, the faster one of `device` under `auto`.

    A processor without bf16 instructions runs bf16 six times slower than fp32 (91 against 533 tokens/s of prefill).
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if device == "cuda" or cpu_has_bfloat16() else "float32"


def cpu_has_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the processor multiplies bf16 in hardware; False where the flags cannot be read."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not BFLOAT16_FLAGS.isdisjoint(flags.split())


def quiet_libraries() -> None:
    """Keep progress bars, and notices repeated at every call, out of what people read; errors stay. Imports transformers."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # else: a line for every layer and step whose input is cast
