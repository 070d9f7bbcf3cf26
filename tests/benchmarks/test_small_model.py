"""Letter losses under a real (tiny) model: batches and padding change nothing, and the hardest options are kept."""

from pathlib import Path

import pytest

from stages.benchmarks.adversarial import hardest
from stages.benchmarks.params import AdversarialParams
from stages.benchmarks.questions import Question
from stages.benchmarks.small_model import letter_scorer
from stages.options import Ask
from stages.runtime import RuntimeParams
from tests.tiny_model import make_tiny_model

PROMPTS = ["Which one?\nA. left\nB. right", "Is it the much longer question with many more words in it?\nA. yes\nB. no", "x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("base"))


def test_batches_give_the_losses_of_single_prompts(folder: Path) -> None:
    runtime = RuntimeParams(device="cpu")
    together = letter_scorer(folder, runtime, batch=3)(PROMPTS)
    alone = [letter_scorer(folder, runtime, batch=1)([prompt])[0] for prompt in PROMPTS]
    assert all(loss > 0 for pair in together for loss in pair)
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def question(names: list[str], right: str = "Right") -> Question:
    ask = Ask(key="s", right=right, barred=frozenset({"barred"}), hard=names)
    ids = {name: f"id:{name}" for name in [right, *names]}
    return Question(kind="k", subject="s", text="A text.", options=[right], ask=ask, ids=ids, entities=[f"id:{right}"])


def test_the_wrong_options_that_the_model_believes_most_stay() -> None:
    names = ["Barred", "Right", "Far", "Near", "Nearest", "Close", "Late"]
    believed = {"Far": 3.0, "Near": 0.5, "Nearest": 0.1, "Close": 0.9, "Late": 2.0}

    def score(prompts: list[str]) -> list[tuple[float, float]]:
        losses = []
        for prompt in prompts:
            shown = {line[3:]: line[0] for line in prompt.splitlines() if line[:3] in ("A. ", "B. ")}
            wrong = next(name for name in shown if name != "Right")
            losses.append((believed[wrong], 9.0) if shown[wrong] == "A" else (9.0, believed[wrong]))
        return losses

    (found,) = hardest([question(names)], {"k": "What is it?\n{text}"}, score, AdversarialParams(candidates=5))
    assert found.options == ["Right", "Nearest", "Near", "Close"]
    assert found.entities == ["id:Right", "id:Nearest", "id:Near", "id:Close"]
    (few,) = hardest([question(names)], {"k": "{text}"}, score, AdversarialParams(candidates=3))
    assert set(few.options) == {"Right", "Far", "Near", "Nearest"}


def test_a_name_that_is_right_nowhere_is_shown_once_only() -> None:
    hub = ["Hub", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]
    questions = [question(hub, right=f"Right {n}") for n in range(3)]
    found = hardest(questions, {"k": "{text}"}, lambda prompts: [(1.0, 1.0)] * len(prompts), AdversarialParams(candidates=3))
    shown = [name for one in found for name in one.options[1:]]
    assert len(found) == 3 and len(shown) == len(set(shown)) == 9


def test_no_question_loads_no_model_and_too_few_candidates_leave_it_out() -> None:
    def never(prompts: list[str]) -> list[tuple[float, float]]:
        raise AssertionError("the model was asked")

    assert hardest([question(["One", "Two"])], {"k": "{text}"}, never, AdversarialParams()) == []
    assert letter_scorer(Path("/nowhere"), RuntimeParams(), batch=1)
