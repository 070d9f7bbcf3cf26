"""Section `quantize`: how the merged model is made smaller."""

from stages.config import Params


class QuantizeParams(Params):
    """Both variants are made by bitsandbytes from the 16-bit model, never from one another."""

    int8_threshold: float = 6.0  # activations above it stay 16-bit (LLM.int8, arXiv 2208.07339, section 3.2)
    nf4_double: bool = True  # quantise the scales too: 0.37 bits a weight less (QLoRA, arXiv 2305.14314, section 3)
    new_tokens: int = 24  # greedy continuation of each prompt in `prompts.txt` that variants are compared on
    speed_tokens: int = 256  # length of the sequence that prefill speed is measured on
    timeout: float = 600.0  # seconds for one smoke test in its own process
