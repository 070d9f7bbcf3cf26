"""Section `label`: how many rows a model labels by the taxonomy."""

from stages.config import Params


class LabelParams(Params):
    """The judge labels a sample of rows without seeing what is declared; the agreement is a metric."""

    rows: int = 0  # 0: none; drawn evenly over the task types by content hash
    max_tokens: int = 48  # of one reply: names of at most three categories
    question_words: int = 160  # of an instruction, from its beginning
