"""`lint` names what is to be mended, in the library or in a file of one's own."""

import json
from pathlib import Path

from tests.review.conftest import Say
from tests.review.sample import CHOSEN


def test_lint_names_flaws_and_exits_with_1(say: Say, checkout: Path) -> None:
    assert say("lint")[0] == 0
    bad = checkout / "bad.yaml"
    bad.write_text(say("show", CHOSEN)[1].replace("  - State what the question describes.\n", "  - ''\n"), encoding="utf-8")
    code, said, _ = say("lint", CHOSEN, "--file", str(bad))
    assert code == 1 and "finding(s)" in said
    bad.write_text("task: [", encoding="utf-8")
    code, _, beside = say("lint", CHOSEN, "--file", str(bad))
    assert code == 1 and "line 1" in beside
    assert say("lint", "--file", str(bad))[0] == 1


def test_without_a_build_nothing_is_known_of_keys_and_the_lint_works(say: Say, checkout: Path) -> None:
    (checkout / "data/tasks/rows.parquet").unlink()
    code, said, _ = say("lint", CHOSEN, "--json")
    assert code == 0 and json.loads(said) == {CHOSEN: []}
