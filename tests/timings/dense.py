"""Static vectors of 50,000 passages and 1,000 queries, beside bare model2vec and numpy; `--minilm` adds the model's own.

Uses models/encoder of a build (`dvc repro encoder`), or the folder that SECFORGE_ENCODER names.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from stages.embed.encoders import MiniLMEncoder, StaticEncoder
from stages.ground.dense import DenseIndex
from stages.ground.retrieve import PassageIndex, by_id, passage_text
from stages.ground.retriever import Retriever
from tests.timings.clock import Line, Measured, measure, show
from tests.timings.passages import make_anchors, make_passages, make_queries

PASSAGES, SENTENCES, QUERIES, TOP = 50_000, 25_000, 1_000, 10
BUILD_LIMIT, SEARCH_LIMIT, MINILM_LIMIT = 15.0, 1.0, 420.0  # seconds


def main() -> None:
    """Print seconds for index and queries. Raises AssertionError where vectors or the best hits differ from the peer's."""
    folder = Path(os.environ.get("SECFORGE_ENCODER", "models/encoder")).absolute()
    if not (folder / "static" / "model.safetensors").is_file():
        sys.exit(f"dense: {folder}/static is not there. Run `dvc repro encoder` first.")
    passages, queries = make_passages(PASSAGES), make_queries(QUERIES)
    texts = [passage_text(passage) for passage in by_id(passages)]
    table = measure(lambda: peer_vectors(folder / "static", texts))
    ours = measure(lambda: DenseIndex(passages, StaticEncoder(folder / "static")))
    found = measure(lambda: ours.result.search_many(queries, TOP))
    anchored = measure(lambda: DenseIndex(passages, StaticEncoder(folder / "static"), make_anchors(passages, SENTENCES)))
    lexical = PassageIndex(passages)
    both = Retriever(lexical, [lexical, ours.result])
    joined = measure(lambda: both.search_many(queries, TOP))
    peer_found = measure(lambda: peer_search(folder / "static", table.result, queries))
    lines = [
        Line(f"static: index of {PASSAGES:,} passages", ours, BUILD_LIMIT, {"model2vec": table}),
        Line(f"the same with {SENTENCES:,} sentences of links", anchored, BUILD_LIMIT),
        Line(f"bm25 and static joined: {QUERIES:,} queries", joined, 2 * SEARCH_LIMIT),
        Line(f"static: {QUERIES:,} queries", found, SEARCH_LIMIT, {"model2vec + numpy": peer_found}),
    ]
    show("dense", lines)
    print(
        f"{PASSAGES / ours.wall:,.0f} passages/s, model2vec {PASSAGES / table.wall:,.0f}; {QUERIES / found.wall:,.0f} queries/s"
    )
    check_plain(folder / "static", texts[:2_000], table.result)
    if "--minilm" in sys.argv:
        show("dense: minilm", minilm_lines(passages, folder / "minilm"))


def minilm_lines(passages: list[Any], folder: Path) -> list[Line]:
    """Vectors made and kept, and read again."""
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)
        first: Measured = measure(lambda: DenseIndex(passages, MiniLMEncoder(folder)))
        again: Measured = measure(lambda: DenseIndex(passages, MiniLMEncoder(folder)))
    name = f"{len(passages):,} passages"
    return [Line(f"minilm: index of {name}", first, MINILM_LIMIT), Line("the same, vectors kept", again, BUILD_LIMIT)]


def peer_vectors(folder: Path, texts: list[str]) -> Any:
    """As model2vec's documentation does it, in float32, whose product numpy leaves to BLAS: float16 takes a hundred times longer."""
    import numpy as np
    from model2vec import StaticModel

    return StaticModel.from_pretrained(folder).encode(texts).astype(np.float32)


def peer_search(folder: Path, vectors: Any, queries: list[str]) -> Any:
    """Places of the best ten for each query, by a product and a partition of all scores."""
    import numpy as np

    scores = peer_vectors(folder, queries) @ vectors.T
    best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
    return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1), axis=1)


def check_plain(folder: Path, texts: list[str], theirs: Any) -> None:
    """Without the weights learned from the passages, vectors are model2vec's own."""
    import numpy as np

    nearest = (StaticEncoder(folder).encode(texts) * theirs[: len(texts)]).sum(axis=1).min()
    print(f"least cosine between our unweighted vectors and model2vec's: {nearest:.5f}")
    assert nearest > 0.999 and np.isfinite(nearest)


if __name__ == "__main__":
    main()
