"""Near and semantic duplicates of 100,000 records, beside rensa's own deduplicator and, where it is installed, datasketch."""

import random

from stages.validate.near import near_pairs
from stages.validate.params import DuplicateParams
from stages.validate.semantic import load_encoder, semantic_pairs
from tests.timings.clock import Line, measure, show
from tests.validate.samples import row, sentence

PARAMS = DuplicateParams()
DATASKETCH_ROWS = 5_000  # measured on fewer rows and scaled: it is linear and slow


def main() -> None:
    """Print seconds for 25,000, 50,000 and 100,000 records, and the peers on the largest."""
    texts = make_texts(100_000)
    lines = []
    for count in (25_000, 50_000, 100_000):
        ours = measure(lambda count=count: near_pairs(texts[:count], [""] * count, PARAMS))
        lines.append(Line(f"near-duplicates of {count:,}", ours, limit=20.0))
    lines[-1].peers["rensa deduplicator"] = measure(lambda: rensa_flags(texts))
    slow = measure(lambda: datasketch_pairs(texts[:DATASKETCH_ROWS]))
    if slow.result is not None:
        lines[-1].peers["datasketch (scaled)"] = slow.scaled(len(texts) / DATASKETCH_ROWS)
    lines += semantic_lines(len(texts))
    show("dedup", lines)
    print(f"near pairs found: {len(lines[2].ours.result):,} of 10,000 planted twins, some of which are below the threshold")


def semantic_lines(count: int) -> list[Line]:
    """Semantic duplicates of rows, a tenth of which share their names with the row before; no line without a build."""
    encoder = load_encoder()
    if encoder is None:
        print("semantic: not measured, models/encoder/static is made by `dvc repro encoder`")
        return []
    rows = [row(number - (number % 10 == 9), id=f"{number:06}", answer=sentence(number, 120)) for number in range(count)]
    found = measure(lambda: semantic_pairs(rows, [""] * len(rows), encoder, PARAMS.semantic))
    return [Line(f"semantic duplicates of {len(rows):,}", found, limit=30.0)]


def make_texts(count: int) -> list[str]:
    """Random texts of 40-200 words; each tenth is its predecessor with one word changed."""
    chance = random.Random(1)
    vocabulary = [f"word{number}" for number in range(20_000)]
    texts: list[str] = []
    for number in range(count):
        words = texts[-1].split() if number % 10 == 9 else chance.choices(vocabulary, k=chance.randint(40, 200))
        if number % 10 == 9:
            words[chance.randrange(len(words))] = "changed"
        texts.append(" ".join(words))
    return texts


def shingles(text: str) -> list[str]:
    """Word shingles as the peers take them: strings."""
    words = text.split()
    return [" ".join(words[start : start + PARAMS.shingle]) for start in range(len(words) - PARAMS.shingle + 1)]


def rensa_flags(texts: list[str]) -> list[bool]:
    """Keep flags of rensa's own batch interface on the same shingles."""
    from rensa import RMinHashDeduplicator

    peer = RMinHashDeduplicator(threshold=PARAMS.threshold, num_perm=128, use_lsh=True)
    return peer.add_pairs((str(number), shingles(text)) for number, text in enumerate(texts))


def datasketch_pairs(texts: list[str]) -> int | None:
    """Pairs by datasketch; None where it is not installed."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return None
    index, found = MinHashLSH(threshold=PARAMS.threshold, num_perm=128), 0
    for number, text in enumerate(texts):
        signature = MinHash(num_perm=128)
        signature.update_batch([one.encode() for one in shingles(text)])
        found += len(index.query(signature))
        index.insert(str(number), signature)
    return found


if __name__ == "__main__":
    main()
