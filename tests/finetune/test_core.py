"""Real CPU training of the tiny model: one process, because importing the libraries takes longer than the tests."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from stages.chat import render_prompt
from stages.errors import InputError
from stages.finetune.callbacks import TrainingError, check_loss
from stages.finetune.checkpoints import MANIFEST, latest_checkpoint, seal
from stages.finetune.core import finetune, mean_loss
from stages.finetune.job import Job
from stages.finetune.model import load_model, load_tokenizer, load_trainable
from stages.finetune.packing import collate, pack_columns, pack_rows
from stages.finetune.schema import LossPoint
from stages.finetune.select import render_rows

MakeJob = Callable[..., Job]


def csv_steps(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def test_training_lowers_the_dev_loss_and_writes_a_plain_model(make_job: MakeJob) -> None:
    job = make_job(learning_rate=1e-2)
    outcome = finetune(job)
    assert outcome is not None
    metrics = outcome.metrics
    assert metrics["dev_loss_after"] < metrics["dev_loss_before"] - 0.3
    assert metrics["rows_per_task"] == {"cve-to-cwe": metrics["rows"]}
    assert len(outcome.rows) == metrics["rows"] and {row.id for row in outcome.rows} <= {row.id for row in job.train}
    assert metrics["tokens"] <= 4000 and metrics["answer_tokens"] < metrics["tokens"]
    assert (job.adapter / "adapter_model.safetensors").is_file()
    assert not [path for path in job.merged.iterdir() if path.suffix in {".bin", ".pt", ".pkl"}]
    model, tokenizer = load_model(job.merged, device="cpu", dtype="bfloat16"), load_tokenizer(job.merged)
    assert model.config.dtype is not None and str(model.config.dtype).endswith("bfloat16")
    turns = [{"role": "user", "content": "Which weakness?"}]
    plain = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    assert plain == render_prompt(tokenizer, "Which weakness?"), "the saved template is the one trained with"


def test_only_the_answer_is_learned(tiny_base: Path, make_job: MakeJob) -> None:
    """Decode exactly what the loss sees, after packing and collating."""
    tokenizer, job = load_tokenizer(tiny_base), make_job()
    rows, _ = render_rows(job.train, tokenizer, 128)
    columns = pack_columns(pack_rows(rows, 128))
    learned = ""
    for index in range(len(columns["labels"])):
        batch = collate([{name: column[index] for name, column in columns.items()}])
        learned += tokenizer.decode(batch["shift_labels"][0])
    assert sorted(learned.split("<|im_end|>")[:-1]) == sorted(row.answer for row in job.train)


def test_rows_of_a_pack_do_not_see_each_other(tiny_base: Path, make_job: MakeJob) -> None:
    job = make_job()
    rows, _ = render_rows(job.train[:4], load_tokenizer(tiny_base), 128)
    model = load_model(tiny_base, device="cpu", dtype="float32")
    apart = mean_loss(model, [[row] for row in rows])
    assert mean_loss(model, [rows]) == pytest.approx(apart, abs=2e-4)


def test_a_killed_run_goes_on_from_its_last_whole_checkpoint(make_job: MakeJob, capsys: pytest.CaptureFixture[str]) -> None:
    undisturbed = make_job("undisturbed", save_seconds=0.0)
    before = finetune(undisturbed)
    steps = sorted(int(path.name.partition("-")[2]) for path in undisturbed.work.glob("checkpoint-*"))
    assert len(steps) == 2, "only two checkpoints are kept"

    resumed = make_job("resumed", save_seconds=0.0)
    shutil.copytree(undisturbed.work, resumed.work, dirs_exist_ok=True)
    newest = resumed.work / f"checkpoint-{steps[1]}"
    weights = newest / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    (resumed.work / "checkpoint-9999").mkdir()
    capsys.readouterr()
    after = finetune(resumed)

    said = capsys.readouterr().out
    assert f"resumes from step {steps[0]}" in said
    assert "step 9,999: it was not finished" in said
    assert f"step {steps[1]:,}: adapter_model.safetensors is damaged" in said
    assert before is not None and after is not None
    assert after.timings["resumed_from_step"] == steps[0]
    assert csv_steps(resumed.loss_csv) == csv_steps(undisturbed.loss_csv)
    assert after.metrics == before.metrics
    assert (resumed.merged / "model.safetensors").read_bytes() == (undisturbed.merged / "model.safetensors").read_bytes()


def test_a_manifest_that_is_not_json_is_passed_over(tmp_path: Path) -> None:
    whole, cut = tmp_path / "checkpoint-5", tmp_path / "checkpoint-10"
    for folder in (whole, cut):
        folder.mkdir()
        (folder / "weights").write_text("1")
        seal(folder)
    os.truncate(cut / MANIFEST, 3)
    assert latest_checkpoint(tmp_path) == whole


def test_a_loss_that_is_not_a_number_stops_with_a_remedy(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job()
    poisoned = load_model(job.base, device="cpu", dtype="float32")
    poisoned.model.norm.weight.data[0] = float("nan")
    poisoned.save_pretrained(tmp_path / "poisoned")
    load_tokenizer(job.base).save_pretrained(tmp_path / "poisoned")
    with pytest.raises(TrainingError, match=r"loss is nan at step 2(.|\n)*Lower finetune\.learning_rate"):
        finetune(msgspec.structs.replace(job, base=tmp_path / "poisoned"))
    assert not list(job.work.glob("checkpoint-*"))


def test_a_loss_that_explodes_stops_with_a_remedy() -> None:
    points = [LossPoint(step=step, loss=loss, learning_rate=1.0) for step, loss in [(5, 2.0), (10, 5.9), (15, 6.1)]]
    check_loss(points[:2], explode_factor=3.0)
    with pytest.raises(TrainingError, match=r"from 2\.000 to 6\.100 at step 15(.|\n)*explode_factor"):
        check_loss(points, explode_factor=3.0)


def test_an_empty_train_set_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(InputError, match=r"train set is empty"):
        finetune(make_job(rows=0))


def test_full_and_qlora_train_too(make_job: MakeJob) -> None:
    full = finetune(make_job("full", method="full", max_tokens=1500, learning_rate=1e-3))
    assert full is not None and full.metrics["dev_loss_after"] < full.metrics["dev_loss_before"]
    qlora = finetune(make_job("qlora", method="qlora", max_tokens=1500, learning_rate=1e-2))
    assert qlora is not None and qlora.metrics["dev_loss_after"] < qlora.metrics["dev_loss_before"]


def test_nf4_keeps_its_gradients_after_an_evaluation(tiny_base: Path, make_job: MakeJob) -> None:
    """bitsandbytes on a CPU with avx512_bf16 repacks NF4 weights in eval mode; then training stands still."""
    job = make_job(method="qlora")
    model = load_trainable(tiny_base, job.params, device="cpu", dtype="bfloat16")
    rows, _ = render_rows(job.train[:2], load_tokenizer(tiny_base), 128)
    mean_loss(model, [rows])
    columns = pack_columns([rows])
    model.train()
    model(**collate([{name: column[0] for name, column in columns.items()}]), use_cache=False).loss.backward()
    gradients = [weight.grad.abs().sum().item() for name, weight in model.named_parameters() if "lora_B" in name]
    assert gradients and all(gradient > 0 for gradient in gradients)
