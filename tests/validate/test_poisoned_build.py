"""A whole build with one poisoned row of each kind, and nothing of the poison in anything that it writes or prints."""

import json
import logging
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.enrich.schema import EnrichedRow
from stages.errors import InputError
from stages.stage import Stage
from stages.tables import Reject, read_table, write_table
from stages.validate import docs, export, trace
from stages.validate.inspect_tables import PATHS
from stages.validate.run import SYNTHESIZED, run_validate
from stages.validate.safety import KINDS
from stages.validate.schema import SafetyFinding, TrainingRow
from tests.validate.samples import evidence, item, row, sentence, tables, write_tables
from tests.validate.test_credentials import FAKE
from tests.validate.test_safety import FORBIDDEN, POISON, poisoned

SECRET = FAKE["github-token"]
PLANTED = (*FORBIDDEN, SECRET, SECRET.casefold(), "ada.example", "602-215-7733")
DROPPED = {"secret": "secret", "offensive": "offensive", "prompt-injection": "prompt-injection"}


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Poison in rows, twins, evidence and texts that a check shows; the paths of the tables that it came in."""
    monkeypatch.chdir(tmp_path)
    rows = [poisoned(kind, instruction=f"What of {kind}? {sentence(number)}") for number, kind in enumerate(KINDS)]
    rows += [
        row(14, id="cut", answer=f"It leaks {SECRET} in the middle of a"),
        row(15, id="mail", answer="It was told by ada.example@corp-mail.net, call 602-215-7733 or ask in the middle of a"),
        row(16, id="seen"),
        row(17, id="twin", answer=f"{sentence(500, 60)} Mail ada.example@corp-mail.net."),
        row(17, id="twin2", answer=f"{sentence(500, 60)} Mail ada.example@corp-mail.net!"),
    ]
    shown = evidence("seen", f"{item(1).question} token {SECRET} of ada.example@corp-mail.net " + item(1).question)
    found = evidence(tables()["rows"][0].id, f"Call 602-215-7733 with {SECRET}. " + POISON["control-token"])
    whole = tables()
    write_tables(whole | {"rows": [*whole["rows"], *rows], "evidence": [*whole["evidence"], shown, found]})
    write_table(SYNTHESIZED, [row(18, id="made", decision="synthesized", answer=POISON["secret"])], EnrichedRow)
    Path("params.yaml").write_text("validate: {}\n")
    return {path for path in tmp_path.rglob("*") if path.is_file()}


def written(root: Path, but: set[Path]) -> str:
    """Everything below `root` that was not there before, tables as their values, also as raw bytes."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path not in but]
    return "".join(readable(path) + path.read_bytes().decode("latin-1") for path in files)


def readable(path: Path) -> str:
    return (
        str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text(encoding="utf-8", errors="replace")
    )


def leaked(text: str) -> list[str]:
    return [one for one in PLANTED if one in text]


def test_each_kind_is_dealt_with_and_nothing_planted_is_in_any_output(
    inputs: set[Path], tmp_path: Path, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    run_validate(Stage("validate"))
    reasons = {one.record: one.reason for one in read_table("data/validate/rejects.parquet", Reject)}
    kept = {one.id for name in ("train", "dev") for one in read_table(PATHS[name], TrainingRow)}
    assert {kind: reasons.get(f"bad-{kind}", "") for kind in KINDS} == {kind: DROPPED.get(kind, "") for kind in KINDS}
    assert {f"bad-{kind}" for kind in KINDS if kind not in DROPPED} | {"mail"} <= kept and not kept & reasons.keys()
    assert reasons["cut"] == reasons["made"] == "secret" and reasons["seen"].startswith("contaminated")
    assert reasons["twin2"].startswith("duplicate")
    metrics = json.loads(Path("metrics/validate.json").read_text())["safety"]
    assert {kind: metrics[kind]["rows"] for kind in DROPPED} == {"secret": 3, "offensive": 1, "prompt-injection": 1}
    assert {one.kind for one in read_table("data/validate/safety.parquet", SafetyFinding)} == {*KINDS}
    assert export.main(["set"]) == docs.main(["docs"]) == 0
    for row_id in ("cut", "made", "seen", "mail", "twin2", tables()["rows"][0].id):
        assert trace.main([row_id, "--json"]) in (0, 1)
    printed = capsys.readouterr()
    assert "middle of a" in printed.err  # the warning shows the rows, without what was planted in them
    text = written(tmp_path, inputs) + printed.out + printed.err + caplog.text
    assert len(text) > 100_000 and "[credential]" in text and "[telephone number]" in text
    assert leaked(text) == []


def test_a_build_that_the_policy_stops_writes_no_set_and_shows_nothing(
    inputs: set[Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    stop = (
        "secrets: stop, injections: stop, control_tokens: stop, personal_data: stop, indicators: stop, offensive: {action: stop}"
    )
    Path("params.yaml").write_text(f"validate: {{safety: {{{stop}}}}}\n")
    with pytest.raises(InputError, match="unsafe places") as caught:
        run_validate(Stage("validate"))
    printed = capsys.readouterr()
    assert not Path(PATHS["train"]).exists() and not Path("data/validate/manifest.json").exists()
    assert leaked(written(tmp_path, inputs) + printed.out + printed.err + str(caught.value)) == []


def test_the_test_would_see_a_leak(inputs: set[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.validate.safety.without_credentials", lambda text: text)
    monkeypatch.setattr("stages.validate.safety.find_personal", lambda text: [])
    run_validate(Stage("validate"))
    assert {SECRET, "ada.example"} <= {*leaked(written(tmp_path, inputs))}
