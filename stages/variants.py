"""The variants of the model that a build makes, and the folder of each."""

from typing import Literal, get_args

Tuned = Literal["finetuned", "int8", "nf4"]
Variant = Literal["base", Tuned]
TUNED: tuple[str, ...] = get_args(Tuned)
VARIANTS: tuple[str, ...] = get_args(Variant)
FOLDERS = {
    "base": "models/base",
    "finetuned": "models/finetune/merged",
    "int8": "models/quantize/int8",
    "nf4": "models/quantize/nf4",
}
