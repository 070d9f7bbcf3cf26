from pathlib import Path

from stages.experiments.queue import Records, executed, last_lines
from stages.experiments.schema import Record

LOG = (
    "Stage 'formats' didn't change, skipping\n"
    "Running stage 'enrich':\n> python -m stages.enrich\n"
    "enrich:  50%|#####     | 1/2\renrich: 100%|##########| 2/2\r\n"
    "[enrich] in: 33,819 rows | out: 33,819 rows | rejected: 0 | 1,097.3 s\n"
    "[evaluate] evaluate.runs names the benchmark 'x'.\n"
    "ERROR: failed to reproduce 'evaluate'\n"
)


def test_the_log_says_which_stages_ran_and_how_long() -> None:
    assert executed(LOG) == {"enrich": 1097.3}


def test_the_end_of_a_log_has_no_progress_bars() -> None:
    assert last_lines(LOG)[-1] == "ERROR: failed to reproduce 'evaluate'"
    assert not [line for line in last_lines(LOG) if "%|" in line]


def test_a_record_is_found_again_and_a_torn_one_is_no_record(tmp_path: Path) -> None:
    records = Records(tmp_path)
    assert records.load("a").state == "waiting"
    records.save(Record(experiment="a", state="failed", tail=["x"]))
    assert records.load("a").tail == ["x"]
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    assert records.load("a").state == "waiting"
