"""A BERT of one layer and random weights with a WordPiece tokenizer: every code path of the stage `encoder` in seconds.

Random or not, texts that share words get like vectors, which is what the tests of retrieval look at.
"""

from pathlib import Path

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = (
    "buffer overflow bounds check copy memory script page injection query database statement attacker adversary process file "
    "access network service credential password token privilege escalation persistence command registry scheduled task cloud "
    "storage bucket encryption key log audit policy account user the a an of and to in is without with by for"
)


def make_tiny_encoder(folder: Path, *, seed: int = 0) -> Path:
    """Write config, safetensors and tokenizer to `folder`; the same seed gives the same bytes."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=128,
    )  # fmt: skip
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    model = BertModel(config)
    torch.random.set_rng_state(state)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer():  # type: ignore[no-untyped-def]
    """Whole words of WORDS, single letters for everything else."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = WORDS.split()
    tokens = [
        *SPECIAL_TOKENS,
        *words,
        *(letter for letter in LETTERS if letter not in words),
        *(f"##{letter}" for letter in LETTERS),
    ]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    pieces = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    pieces.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]"
    )
