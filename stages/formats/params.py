"""Section `formats`: which reasoning formats may be used, and how missing ones are drafted."""

from typing import Annotated, Literal

import msgspec

from stages.config import Params

Few = Annotated[int, msgspec.Meta(ge=0, le=10)]


class FormatsParams(Params):
    """Formats come from `stages/formats/library/`; drafts are unreviewed until a person puts them there."""

    # approved: only reviewed library files, other tasks keep their template answers;
    # approved-or-draft: every library file, and an LLM draft where there is none;
    # draft: LLM drafts only, the ablation "fully automatic against expert-approved formats".
    policy: Literal["approved", "approved-or-draft", "draft"] = "approved-or-draft"
    examples: Few = 5  # sampled instructions (never answers) that the drafter sees; the paper uses 0-10, 0 is zero-shot
    evidence: Few = 0  # passages about the subjects of these instructions that the drafter sees
    draft_tokens: Annotated[int, msgspec.Meta(ge=0)] = 400  # output of one draft; 0 means the teacher's maximum
