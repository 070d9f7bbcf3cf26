"""Texts to vectors with the files of stage `encoder`: a table of token vectors (`static`) or the model itself (`minilm`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stages.base.location import hash_model
from stages.embed.cache import VectorCache
from stages.embed.source import check_source
from stages.errors import InputError
from stages.hardware import choose_device, choose_dtype, quiet_libraries, set_threads
from stages.runtime import RuntimeParams
from stages.tables import content_id

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix
    from tokenizers import Tokenizer

TEXT_LIMIT = 8_000  # characters of one text that are read; the longest passages have 1,500
MAX_TOKENS = 128  # of one text for `minilm`, as it was trained; 256 would take twice the time for one passage in ten
BATCH_TOKENS = 2_400  # of one batch of `minilm`: fastest on two cores (32 texts of 75 tokens)
MINILM = "minilm"  # its name among the engines, and its folder in models/encoder
REMEDY = "Run `dvc repro --force encoder`, which makes it, or leave the engine out of `ground.engines`."


class Encoder(Protocol):
    """Both kinds of encoder."""

    name: str  # static, minilm

    def learn(self, texts: Sequence[str]) -> "np.ndarray":
        """Unit vectors of the passages that are searched, and what is to be known of them to encode queries."""

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        """Unit vectors, float32 of (texts, dimensions); zeros for a text without any known token."""

    def encode_kept(self, texts: Sequence[str]) -> "np.ndarray":
        """The same for texts that come again in the next run: of a slow encoder they are kept."""


class StaticEncoder:
    """A text's vector is the sum of its tokens' vectors (model2vec, MIT), scaled to length 1.

    Tokens weigh by the root of how rare they are in the passages: in fusion with BM25 that finds 1 in 50 questions more
    among the first four than the table's own weights do. Each different word is split into tokens once: over 10,000
    passages/s on two cores, where a tokenizer that reads every text makes 5,000.
    """

    name = "static"

    def __init__(self, folder: Path) -> None:
        """Raises InputError if `folder` holds no table, or one that does not fit its tokenizer."""
        check_source(folder.parent)
        self._tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._table = _read_table(folder / "model.safetensors", self._tokenizer.get_vocab_size())
        self._unknown = self._tokenizer.token_to_id("[UNK]")

    def learn(self, texts: Sequence[str]) -> "np.ndarray":
        """Sets the tokens' weights, function words' to none; a second call would weigh twice."""
        import numpy as np

        counts = self._counts(texts)
        having = np.bincount(counts.indices, minlength=len(self._table))
        rarity = np.log1p((len(texts) - having + 0.5) / (having + 0.5))  # as BM25 has it
        self._table *= np.sqrt(rarity).astype(np.float32)[:, None]
        self._table[self._function_words()] = 0
        return scaled(counts @ self._table)

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        return scaled(self.sums(texts))

    def sums(self, texts: Sequence[str]) -> "np.ndarray":
        """Vectors before they are scaled: the sums of sentences add up to that of a passage."""
        return self._counts(texts) @ self._table

    encode_kept = encode

    def _function_words(self) -> list[int]:
        """Tokens of `our`, `whatever is`, `how do they`: rare in passages, common in questions, and about nothing.

        With them 0.51 instead of 0.55 of the questions written by hand are answered among the first four.
        """
        from bm25s.stopwords import STOPWORDS_EN_PLUS

        return [token for word in STOPWORDS_EN_PLUS if (token := self._tokenizer.token_to_id(word)) is not None]

    def _counts(self, texts: Sequence[str]) -> "csr_matrix":
        """How often each token stands in each text: integers, so that sums do not depend on the order of words."""
        numbers: dict[str, int] = {}
        of_texts = [[numbers.setdefault(word, len(numbers)) for word in readable(text).split()] for text in texts]
        encoded = self._tokenizer.encode_batch_fast(list(numbers), add_special_tokens=False)
        of_words = [[token for token in word.ids if token != self._unknown] for word in encoded]
        counts = _incidence(of_texts, len(numbers)) @ _incidence(of_words, len(self._table))
        counts.sort_indices()
        return counts


class MiniLMEncoder:
    """Mean of the model's last hidden states, scaled to length 1, as all-MiniLM-L6-v2 was trained (Apache-2.0).

    Texts of one batch have the same number of tokens: with nothing to pad, a vector is the same in every batch, and a part
    of them may come from the cache. In bfloat16 where the processor multiplies it: 220 passages/s on two cores.
    """

    name = MINILM

    def __init__(self, folder: Path, runtime: RuntimeParams = RuntimeParams()) -> None:  # noqa: B008 - frozen
        """Raises InputError if `folder` holds no model. Imports torch and transformers."""
        set_threads(runtime.threads)
        import torch
        from transformers import AutoModel

        quiet_libraries()
        check_source(folder.parent)
        self._device = choose_device(runtime.device)
        dtype = choose_dtype(runtime.dtype, self._device)
        self._tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        _check_there(folder / "config.json")
        try:
            model = AutoModel.from_pretrained(folder, dtype=getattr(torch, dtype), use_safetensors=True, local_files_only=True)
        except Exception as error:  # damaged weights fail in many ways within the reader; all mean the same to a user
            raise InputError(f"{folder} cannot be read as a model: {error}", remedy=REMEDY) from error
        self._model = model.eval().to(self._device)
        self.dimensions: int = self._model.config.hidden_size
        self._key = vectors_key(folder, runtime)

    def learn(self, texts: Sequence[str]) -> "np.ndarray":
        return self.encode_kept(texts)

    def encode_kept(self, texts: Sequence[str]) -> "np.ndarray":
        """The vectors of an earlier run, where there are any; what is new is kept for the next one."""
        with VectorCache(self._key, self.dimensions) as cache:
            return cache.complete([readable(text) for text in texts], self.encode)

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        found = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([readable(text) for text in texts])]
        for places in same_length(tokens):
            found[places] = self._states([tokens[place] for place in places])
        return found

    def _states(self, tokens: list[list[int]]) -> "np.ndarray":
        """Of texts with equally many tokens; only the marks of begin and end mean an empty text: zeros."""
        import numpy as np
        import torch

        if len(tokens[0]) <= 2:
            return np.zeros((len(tokens), self.dimensions), dtype=np.float32)
        with torch.inference_mode():
            states = self._model(input_ids=torch.tensor(tokens, device=self._device)).last_hidden_state
            return scaled(states.float().mean(dim=1).cpu().numpy())


def vectors_key(folder: Path, runtime: RuntimeParams) -> str:
    """What tells vectors of the model in `folder` from others: kind of device and number type change the last digits."""
    device = choose_device(runtime.device)
    return content_id(MINILM, str(MAX_TOKENS), device, choose_dtype(runtime.dtype, device), hash_model(folder))


def same_length(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of texts in batches of one number of tokens, about BATCH_TOKENS each."""
    by_length: dict[int, list[int]] = {}
    for place, of_text in enumerate(tokens):
        by_length.setdefault(len(of_text), []).append(place)
    batches = []
    for length, places in sorted(by_length.items()):
        size = max(1, BATCH_TOKENS // max(1, length))
        batches += [places[start : start + size] for start in range(0, len(places), size)]
    return batches


def readable(text: str) -> str:
    """What of `text` is encoded: valid Unicode, not endless."""
    return text[:TEXT_LIMIT].encode("utf-8", "ignore").decode("utf-8")


def scaled(vectors: "np.ndarray") -> "np.ndarray":
    """Rows of length 1; rows of zeros stay."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def read_tokenizer(path: Path) -> "Tokenizer":
    """Raises InputError for a file that is missing or no tokenizer."""
    from tokenizers import Tokenizer

    _check_there(path)
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} is not a tokenizer: {error}", remedy=REMEDY) from error


def _read_table(path: Path, tokens: int) -> "np.ndarray":
    """Vectors of all tokens, float32 of (tokens, dimensions)."""
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    _check_there(path)
    try:
        table = load_file(path)["embeddings"]
    except (SafetensorError, KeyError, OSError) as error:
        raise InputError(f"{path} is not a table of token vectors: {error}", remedy=REMEDY) from error
    if table.ndim != 2 or len(table) != tokens or not np.isfinite(table).all():
        raise InputError(
            f"{path} holds a table of the shape {table.shape} that does not fit its tokenizer, or values that are no numbers.",
            allowed=f"one row of finite numbers for each of {tokens:,} tokens",
            remedy=REMEDY,
        )
    return table.astype(np.float32)


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path} does not exist (`encoder.kind: none` makes no vectors).", remedy=REMEDY)


def _incidence(rows: Sequence[Sequence[int]], width: int) -> "csr_matrix":
    """Row by row how often each number below `width` stands in it, float32."""
    import numpy as np
    from scipy.sparse import csr_matrix

    starts = np.cumsum([0, *(len(row) for row in rows)])
    flat = np.fromiter((number for row in rows for number in row), dtype=np.int32, count=starts[-1])
    counts: Any = csr_matrix((np.ones(len(flat), dtype=np.float32), flat, starts), shape=(len(rows), width))
    counts.sum_duplicates()
    return counts
