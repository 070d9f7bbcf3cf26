"""Splits: stable, shared by equal texts, and never a label of root-cause mapping held out."""

from collections import Counter

import pytest

from stages.config import load_section
from stages.errors import ParamsError
from stages.graph.params import GraphParams, SplitParams
from stages.graph.split import assign_splits
from tests.graph.sample import entity, table

PARAMS = SplitParams(heldout=0.2, dev=0.1, similar=1.0, seed=1)  # texts made by counting are like each other


def splits(*entities, params: SplitParams = PARAMS) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {row.entity_id: row.split for row in assign_splits(table(*entities), params)}


def test_shares_are_about_right_and_a_new_entity_moves_nobody() -> None:
    rows = [entity(f"cve:{i}") for i in range(2000)]
    before, after = splits(*rows), splits(*rows, entity("aaa"), entity("zzz"))
    assert all(after[id] == part for id, part in before.items())
    shares = Counter(before.values())
    assert abs(shares["heldout"] / 2000 - 0.2) < 0.03 and abs(shares["dev"] / 2000 - 0.1) < 0.03


def test_one_type_may_have_a_share_of_its_own() -> None:
    rows = [entity(f"{kind}:{i}", type=kind) for kind in ("weakness", "technique") for i in range(1000)]
    found = splits(*rows, params=SplitParams(heldout=0.1, heldout_of={"weakness": 0.4}, dev=0.0, similar=1.0, seed=1))
    held = Counter(id.partition(":")[0] for id, part in found.items() if part == "heldout")
    assert abs(held["weakness"] - 400) < 60 and abs(held["technique"] - 100) < 40


def test_another_seed_gives_another_split() -> None:
    rows = [entity(f"cve:{i}") for i in range(100)]
    assert splits(*rows) != splits(*rows, params=SplitParams(heldout=0.2, dev=0.1, similar=1.0, seed=2))


def test_equal_texts_share_a_part_also_through_observed_examples() -> None:
    rows = []
    for i in range(60):
        rows.append(entity(f"a{i}", text=f"The same text number {i}!"))
        rows.append(
            entity(f"b{i}", text="Another", fields={"observed_examples": [f"the SAME text, number {i}"]})
            if i < 30
            else entity(f"b{i}", text=f"the same text number {i}")
        )
    for index, row in enumerate(rows):
        if row.text == "Another":
            rows[index] = entity(row.id, text=f"Another {index}", fields=row.fields)
    found = splits(*rows)
    assert all(found[f"a{i}"] == found[f"b{i}"] for i in range(60))
    assert len(set(found.values())) == 3


def test_texts_that_differ_in_a_word_share_a_part() -> None:
    base = "A crafted {} request to the import form of {} lets remote users read any file of the host"
    rows = [
        entity(f"{mark}{i}", text=base.format(word, f"toy{i}server"))
        for i in range(40)
        for mark, word in (("a", "web"), ("b", "mail"))
    ]
    rows = [entity(row.id, text=row.text + " " + " ".join(f"x{row.id[1:]}y{n}" for n in range(20))) for row in rows]
    found = splits(*rows, params=SplitParams(heldout=0.3, dev=0.2, seed=1))
    assert all(found[f"a{i}"] == found[f"b{i}"] for i in range(40)) and len(set(found.values())) == 3


def test_a_rule_that_quotes_the_beginning_of_a_technique_shares_its_part() -> None:
    for i in range(20):
        lead = " ".join(f"lead{i}x{n}" for n in range(60))
        technique = entity(f"t{i}", text=f"{lead} {' '.join(f'rest{i}x{n}' for n in range(200))}")
        found = splits(technique, entity(f"s{i}", "sigma-rule", text=lead), params=SplitParams(heldout=0.45, dev=0.45, seed=1))
        assert len(set(found.values())) == 1


def test_what_is_like_a_weakness_of_the_simplified_view_is_not_held_out_either() -> None:
    text = "The product does not neutralize the {} delimiter before it sends the record on to the next component."
    inside = entity("cwe:CWE-9", "weakness", text=text.format("field"), fields={"in_view_1003": True})
    like = [entity(f"cwe:CWE-1{i}", "weakness", text=text.format(f"toy{i}")) for i in range(30)]
    assert set(splits(inside, *like, params=SplitParams(heldout=0.9, dev=0.0, seed=1)).values()) == {"train"}


def test_weaknesses_of_the_simplified_view_are_not_held_out() -> None:
    inside = [entity(f"cwe:CWE-{i}", "weakness", fields={"in_view_1003": True}) for i in range(300)]
    outside = [entity(f"cwe:CWE-{i}", "weakness", fields={"in_view_1003": False}) for i in range(300, 600)]
    found = splits(*inside, *outside)
    assert not [row for row in inside if found[row.id] == "heldout"]
    assert [row for row in outside if found[row.id] == "heldout"]


def test_vulnerabilities_from_a_date_on_are_held_out_with_what_is_like_them() -> None:
    dates = ["", "2031-01-31", "2031-02-01", "2031-02-01T08:00:00Z", "2032-01-01"]
    rows = [entity(f"cve:{i}", "vulnerability", published=date) for i, date in enumerate(dates)]
    like = entity("cve:7", "vulnerability", text="text of CVE 4", published="2030-01-01")
    other = entity("report", "advisory", published="2032-01-01")
    none = SplitParams(heldout=0.0, dev=0.0)
    assert set(splits(*rows, like, other, params=none).values()) == {"train"}
    found = splits(*rows, like, other, params=SplitParams(heldout=0.0, dev=0.0, heldout_after="2031-02-01"))
    assert {id for id, part in found.items() if part == "heldout"} == {"cve:2", "cve:3", "cve:4", "cve:7"}


def test_the_year_of_the_id_stands_for_a_date_that_nobody_states() -> None:
    rows = [entity(f"cve:CVE-{year}-1000", "vulnerability") for year in (2029, 2030, 2031)]
    found = splits(*rows, params=SplitParams(heldout=0.0, dev=0.0, heldout_after="2030-10-01"))
    assert [found[row.id] for row in rows] == ["train", "heldout", "heldout"]


def test_a_late_vulnerability_takes_no_label_of_root_cause_mapping_with_it() -> None:
    text = "The product copies a record of any length into a fixed buffer before it looks at its header."
    label = entity("cwe:CWE-9", "weakness", text=text, fields={"in_view_1003": True})
    early, late = (entity(f"cve:{when}", "vulnerability", text=text, published=when) for when in ("2030-01-01", "2031-01-01"))
    found = splits(label, early, late, params=SplitParams(heldout=0.0, dev=0.0, heldout_after="2031-01-01"))
    assert found == {"cwe:CWE-9": "train", "cve:2030-01-01": "train", "cve:2031-01-01": "heldout"}


@pytest.mark.parametrize("date", ["2031", "2031-13-01", "01.02.2031", "20310201"])
def test_a_date_that_is_none_is_refused(tmp_path, date: str) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "params.yaml"
    file.write_text(f"graph: {{split: {{heldout_after: '{date}'}}}}")
    with pytest.raises(ParamsError, match=r"heldout_after|isoformat|month"):
        load_section("graph", GraphParams, file)


def test_a_share_of_one_type_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="heldout_of"):
        SplitParams(heldout_of={"weakness": 0.95})


def test_shares_that_leave_nothing_to_train_on_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "params.yaml"
    file.write_text("graph: {split: {heldout: 0.9, dev: 0.2}}")
    with pytest.raises(ParamsError, match="leave something to train on"):
        load_section("graph", GraphParams, file)
