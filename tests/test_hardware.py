"""What this machine can do, and that libraries do not talk over it."""

import subprocess
import sys
from pathlib import Path

from stages.hardware import cpu_has_bfloat16
from tests.graph_reader import ROOT

NOISE = """
import torch
from stages.hardware import quiet_libraries
quiet_libraries()
import bitsandbytes
layer = bitsandbytes.nn.Linear8bitLt(32, 32, has_fp16_weights=False).to("cpu").eval()
with torch.inference_mode():
    for _ in range(3):
        layer(torch.ones(1, 32, dtype=torch.bfloat16))
"""


def test_an_int8_layer_says_nothing_of_its_casts() -> None:
    done = subprocess.run([sys.executable, "-c", NOISE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


def test_bfloat16_is_read_from_the_flags_and_nothing_else(tmp_path: Path) -> None:
    flags = tmp_path / "cpuinfo"
    flags.write_text("model name : bf16 machine\nflags : sse avx512_bf16\n")
    assert cpu_has_bfloat16(flags)
    flags.write_text("model name : bf16 machine\nflags : sse avx512f\n")
    assert not cpu_has_bfloat16(flags)
    assert not cpu_has_bfloat16(tmp_path / "absent")
