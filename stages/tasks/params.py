"""Section `tasks`: how many rows, and how long their texts may be."""

import msgspec

from stages.config import Params

OVERSAMPLING = 4


class TasksParams(Params):
    """Sizes of the first-step data; tokens are about 1.35 times the words."""

    max_rows_per_task: int = 400  # a breadth of tasks teaches more than many rows of one (arXiv 2408.09304 balances sources)
    rows_of_task: dict[str, int] = msgspec.field(default_factory=lambda: {"cve-to-cwe": 3000})  # the own benchmark asks it
    max_text_words: int = 110  # a source text inside a question, cut at a sentence end
    max_answer_words: int = 170  # under 250 tokens, so that packed sequences of 512 lose nothing
    max_keys: int = 3  # a question with more right answers tests listing, not reasoning
    procedures_per_technique: int = 3  # a few techniques hold most procedures; without a cap they would be most of the rows
    seed: int = 0  # another draw of rows, letters and phrasings

    def rows(self, task: str) -> int:
        """The most rows of a task."""
        return self.rows_of_task.get(task, self.max_rows_per_task)

    def considered(self, task: str) -> int:
        """How many subjects are worth drafting: some will not make a row, and drafting them all would take the time."""
        return OVERSAMPLING * self.rows(task)
