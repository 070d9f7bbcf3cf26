"""Section `llm`: which models write and judge. Where they are served is in `runtime`."""

from typing import Literal

from stages.config import Params


class Role(Params):
    """A model in one role. `embedded` is the base model of this build, run in process."""

    provider: Literal["embedded", "openai"] = "embedded"
    model: str = "smollm2-135m-instruct"  # name sent to the endpoint; part of every cache key
    temperature: float = 0.2
    repetition_penalty: float = (
        1.1  # the embedded model loops without it and cannot copy a fact above 1.1; sent to openai endpoints only if not 1
    )
    max_tokens: int = 256  # output tokens; a purpose may ask for fewer
    repair: Literal[0, 1] = 1  # rounds in which a reply that cannot be read is asked for again, with the form that is wanted
    json_schema: bool = False  # the server takes `response_format` with a JSON schema (vLLM, llama.cpp, hosted APIs)


class LLMParams(Params):
    """The teacher drafts formats, builds queries and rewrites; the judge reads both answers."""

    teacher: Role = Role()
    judge: Role = Role(temperature=0.0)
