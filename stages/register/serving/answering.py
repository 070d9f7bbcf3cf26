"""Answers of a loaded variant, piece by piece: rendered and, without a temperature, decoded as in the evaluation."""

import threading
from collections.abc import Generator
from contextlib import closing
from typing import Any

import msgspec

from stages.chat import chat_template, render_prompt
from stages.control_tokens import without_control_tokens
from stages.evaluate.variants import Variant
from stages.register.serving.request import ChatRequest, Message, RequestError


class Answer(msgspec.Struct):
    """An answer in the making: filled while its pieces are taken."""

    prompt_tokens: int
    new_tokens: int = 0
    finish_reason: str = "length"


class Answering:
    """The model, one answer at a time."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._one = threading.Lock()

    def prompt(self, request: ChatRequest, new_tokens: int) -> list[int]:
        """Token ids of the prompt. Raises RequestError if it does not fit the context with `new_tokens` more."""
        ids = render_messages(self.variant, request.messages)
        context = getattr(self.variant.model.config, "max_position_embeddings", None)
        if context and len(ids) + new_tokens > context:
            raise RequestError(f"{len(ids)} prompt tokens and {new_tokens} new ones; the context holds {context}")
        return ids

    def pieces(
        self, request: ChatRequest, prompt: list[int], new_tokens: int, answer: Answer, stopped: threading.Event
    ) -> Generator[str, None, None]:
        """The answer in pieces; setting `stopped` ends it at the next token. What `stop` names is never given out."""
        held, kept_back, cut = "", max(map(len, request.stops), default=1) - 1, False
        with self._one, closing(self._generate(request, prompt, new_tokens, answer, stopped)) as made:
            for piece in made:
                held += piece
                place = min((held.find(stop) for stop in request.stops if stop in held), default=-1)
                if place >= 0:
                    held, cut = held[:place], True
                    break
                if len(held) > kept_back:
                    ready = len(held) - kept_back
                    yield held[:ready]
                    held = held[ready:]
        if cut:
            answer.finish_reason = "stop"
        if held:
            yield held

    def _generate(
        self, request: ChatRequest, prompt: list[int], new_tokens: int, answer: Answer, stopped: threading.Event
    ) -> Generator[str, None, None]:
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList, TextIteratorStreamer

        variant, failed = self.variant, []
        streamer = TextIteratorStreamer(variant.tokenizer, skip_prompt=True, skip_special_tokens=True)
        ends = variant.end_token_ids()
        sampled = {"do_sample": True, "temperature": request.temperature, "top_p": request.top_p} if request.temperature else {}
        config = GenerationConfig(
            max_new_tokens=new_tokens, eos_token_id=ends, pad_token_id=variant.pad_token_id, **(sampled or {"do_sample": False})
        )

        def is_stopped(ids: Any, _: Any, **__: Any) -> Any:
            return torch.full((ids.shape[0],), stopped.is_set(), dtype=torch.bool, device=ids.device)

        def run() -> None:
            try:
                if request.seed is not None:
                    torch.manual_seed(request.seed)
                ids = torch.tensor([prompt], device=variant.device)
                with torch.inference_mode():
                    made = variant.model.generate(
                        input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config, streamer=streamer,
                        stopping_criteria=StoppingCriteriaList([is_stopped]),
                    )  # fmt: skip
                new = made[0, len(prompt) :].tolist()
                answer.new_tokens = len(new)
                answer.finish_reason = "stop" if new and new[-1] in ends else "length"
            except Exception as error:  # torch raises types of its own; the reader of the pieces must hear of it
                failed.append(error)
                streamer.end()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield from (piece for piece in streamer if piece)
        finally:
            stopped.set()
            thread.join()
        if failed:
            raise failed[0]


def render_messages(variant: Variant, messages: list[Message]) -> list[int]:
    """One question as in training and evaluation; a longer talk by the same template, control tokens in it broken up."""
    if [message.role for message in messages] == ["user"]:
        return render_prompt(variant.tokenizer, messages[0].text)
    roles = {"developer": "system"}
    turns = [
        {"role": roles.get(message.role, message.role), "content": without_control_tokens(message.text).strip()}
        for message in messages
    ]
    text = variant.tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=True, chat_template=chat_template(variant.tokenizer)
    )
    return variant.encode(text)
