"""Section `register`: where a finished build is recorded and under which names."""

from typing import Literal

from stages.config import Params
from stages.variants import Tuned


class RegisterParams(Params):
    """Names in MLflow. The tracking server is in `runtime.mlflow_uri`, since it makes nothing different."""

    experiment: str = "secforge"
    model: str = "secforge"  # one registered model; its versions are the variants of every build
    alias: str = "candidate"  # given to the version of the variant below
    aliased: Tuned = "finetuned"
    # `pointer` records commit, path and hash (DVC holds the weights once); `artifact` copies the weights
    # into MLflow, for a server whose users have no access to the DVC remote.
    store: Literal["pointer", "artifact"] = "pointer"
