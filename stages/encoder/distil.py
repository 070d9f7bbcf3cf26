"""One vector per token of a sentence encoder: what each token means to the model when it stands alone.

Texts are then encoded by summing rows of a table, hundreds of times faster than by the model. model2vec (MIT) makes the
table; its extra `distill` is not installed, because it asks for an older transformers than the rest of the project: only
`skeletoken`, which it needs beside torch and transformers.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from stages.errors import InputError
from stages.hardware import quiet_libraries, set_threads


def distil_table(model: Path, target: Path, dimensions: int, threads: int = 0) -> None:
    """Write the table of `model` to the folder `target`, as model2vec's `StaticModel.from_pretrained` reads it.

    float16 values of (tokens, dimensions), scaled by how rare a token is expected to be. Two runs on one machine give
    equal bytes. Raises InputError if the files in `model` are damaged.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")  # read when tqdm is first imported
    set_threads(threads)
    from safetensors.numpy import save_file

    print(f"distilling a table of token vectors from {model.name} (about half a minute)", file=sys.stderr)
    static = _distilled(model, dimensions)
    target.mkdir(parents=True)
    save_file({"embeddings": static.embedding}, target / "model.safetensors")
    os.chmod(target / "model.safetensors", 0o644)  # the library's own mode keeps other users out
    static.tokenizer.no_truncation()
    static.tokenizer.save(str(target / "tokenizer.json"), pretty=False)
    settings = {"model_type": "model2vec", "normalize": True, "hidden_dim": static.dim, "embedding_dtype": static.embedding_dtype}
    (target / "config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _distilled(folder: Path, dimensions: int) -> Any:
    """A `model2vec.StaticModel` of all tokens of the model in `folder`."""
    from model2vec.distill import distill_from_model
    from transformers import AutoModel, AutoTokenizer

    quiet_libraries()
    try:
        model = AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return distill_from_model(model, tokenizer, device="cpu", pca_dims=dimensions)
    except (
        Exception
    ) as error:  # damaged files and odd tokenizers fail in many ways within the libraries; all mean the same to a user
        raise InputError(
            f"{folder} cannot be read as a model, or has tokens that cannot be distilled: {error}",
            allowed="a sentence encoder that transformers loads without running code of its own, its tokenizer and weights of one size",
            remedy="Name another model in section `encoder` of params.yaml, or set `encoder.kind: none`.",
        ) from error
