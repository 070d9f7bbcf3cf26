"""Section `formats`: which reasoning formats may be used, and how missing ones are drafted."""

from typing import Literal

from stages.config import Params


class FormatsParams(Params):
    """Formats come from `stages/formats/library/`; drafts are unreviewed until a person puts them there."""

    # approved: only reviewed library files, other tasks keep their template answers;
    # approved-or-draft: every library file, and an LLM draft where there is none;
    # draft: LLM drafts only, the ablation "fully automatic against expert-approved formats".
    policy: Literal["approved", "approved-or-draft", "draft"] = "approved-or-draft"
    examples: int = 5  # sampled instructions (never answers) that the drafter sees; the paper uses 0-10
    draft_tokens: int = 400  # output of one draft; 0 means the teacher's maximum
