"""Small training jobs on the tiny model, made once for the whole folder: imports are the cost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.finetune.job import Job
from stages.finetune.params import FinetuneParams
from stages.validate.schema import TrainingRow
from tests.tiny_model import make_tiny_model

SETTINGS = {
    "mix": {"other": 1.0},
    "max_tokens": 4000,
    "epochs": 1,
    "learning_rate": 1e-3,
    "pack_tokens": 128,
    "max_length": 128,
    "log_steps": 2,
    "rank": 4,
}


def training_row(number: int, task: str = "cve-to-cwe", family: str = "cve", **changes: Any) -> TrainingRow:
    weakness = ("Out-of-bounds Write", 787) if number % 2 else ("Cross-site Scripting", 79)
    values = {
        "id": f"row-{number}",
        "task": task,
        "family": family,
        "instruction": f"Which weakness is behind report {number}? A {'heap buffer' if number % 2 else 'web page'} is at fault.",
        "answer": f"Weakness: {weakness[0]}\nFinal answer: CWE-{weakness[1]}",
        "key_kind": "cwe",
        "answer_key": [f"CWE-{weakness[1]}"],
        "decision": "template",
        "licences": ["CC0-1.0"],
    }
    return TrainingRow(**(values | changes))


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The base model; one thread, because two spend their time waiting for each other on matrices this small."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield make_tiny_model(tmp_path_factory.mktemp("base"))
    torch.set_num_threads(threads)


@pytest.fixture
def make_job(tiny_base: Path, tmp_path: Path) -> Callable[..., Job]:
    """A job in a folder of its own; keyword arguments change params, `name` separates two jobs of one test."""

    def make(name: str = "run", *, rows: int = 60, work: Path | None = None, **params: Any) -> Job:
        folder = tmp_path / name
        work = work or folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        return Job(
            params=FinetuneParams(**(SETTINGS | params)),
            train=[training_row(number) for number in range(rows)],
            dev=[training_row(number) for number in range(1000, 1010)],
            base=tiny_base,
            work=work,
            adapter=folder / "adapter",
            merged=folder / "merged",
            loss_csv=folder / "loss.csv",
            device="cpu",
            dtype="float32",
        )

    return make
