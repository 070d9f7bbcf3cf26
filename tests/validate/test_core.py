import msgspec
import pytest

from stages.errors import InputError
from stages.validate.benchmark_index import build_index
from stages.validate.core import benchmark_findings, build, training_rows
from stages.validate.params import ValidateParams
from tests.validate.samples import evidence, item, mapping_row, row, sentence, tables
from tests.validate.test_decontaminate import external

PARAMS = ValidateParams()


def test_each_filter_drops_its_row_with_a_reason() -> None:
    whole = tables()
    leak = item(0).question
    bad = [
        row(100, instruction=f"Say what is wrong here. {leak}"),
        row(101, answer="It is known as CVE-2031-1001 by name."),
        row(102),
        row(103, licences=["CC-BY-SA-4.0"]),
        row(104, answer="The token xoxb-123456789012-abcdefghijkl was left in a log."),
        row(3, id="zz-copy"),
    ]
    built = build(
        [*whole["rows"], *bad], [*whole["evidence"], evidence(bad[2].id, f"A report says: {leak}")], whole["items"], PARAMS
    )
    reasons = {reject.record: reject.reason for reject in built.rejects}
    assert reasons == {
        bad[0].id: "contaminated-13-gram",
        bad[1].id: "contaminated-identifier",
        bad[2].id: "contaminated-13-gram",
        bad[3].id: "licence-share-alike",
        bad[4].id: "secret",
        "zz-copy": "duplicate-exact",
    }
    assert built.rows == sorted(whole["rows"], key=lambda one: one.id)
    finding = built.benchmarks["secforge-rcm"]
    assert (finding.items, finding.items_touched, finding.rows_dropped) == (2, 2, 3)
    assert finding.by_rule == {"13-gram": 2, "identifier": 1}
    detail = next(reject.detail for reject in built.rejects if reject.record == bad[2].id)
    assert "secforge-rcm item item-0 in evidence" in detail


def test_a_dropped_row_never_stands_for_its_duplicates() -> None:
    """The smallest id of a cluster has a denied licence: its twin stays."""
    twins = [row(1, id="a", licences=["CC-BY-NC-4.0"]), row(1, id="b")]
    assert [kept.id for kept in build(twins, [], [item(0)], PARAMS).rows] == ["b"]


def test_splits_are_written_apart() -> None:
    built = build(tables()["rows"], [], [item(0)], PARAMS)
    train, dev = training_rows(built.rows, "train"), training_rows(built.rows, "dev")
    assert (len(train), len(dev)) == (27, 3)
    assert [one.id for one in train] == sorted(one.id for one in train)


def test_no_items_means_not_checked() -> None:
    assert build([row(1)], [], [], PARAMS).benchmarks == {}


def test_an_empty_train_set_names_the_reasons() -> None:
    with pytest.raises(InputError, match="licence-unknown 1"):
        build([row(1, licences=["mine"])], [], [], PARAMS)
    with pytest.raises(InputError, match="no row of split train"):
        build([row(1, split="dev")], [], [], PARAMS)


def test_same_rows_in_any_order_give_the_same_result() -> None:
    whole = tables()
    rows = [*whole["rows"], mapping_row(200), mapping_row(200, id="zz"), row(5, id="yy", answer=sentence(10_005) + " It arises.")]
    one = build(rows, whole["evidence"], whole["items"], PARAMS)
    two = build(rows[::-1], whole["evidence"][::-1], whole["items"], PARAMS)
    assert msgspec.json.encode(one) == msgspec.json.encode(two)


def test_items_of_two_benchmarks_with_one_id_are_counted_apart() -> None:
    items = [external(sentence(1, 20), 1, benchmark="long"), external("Who?", 1, benchmark="brief")]
    found = benchmark_findings(build_index(items, PARAMS.decontamination), [])
    assert {name: one.items_unsearchable for name, one in found.items()} == {"brief": 1, "long": 0}
