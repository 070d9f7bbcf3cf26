"""A rule for one operating system is no evidence for a technique of others."""

from stages.graph.conflicts import drop_conflicts
from stages.graph.params import ConflictParams
from tests.graph.sample import entity, link, table


def test_rules_of_another_platform_are_dropped_with_the_reason() -> None:
    entities = table(
        entity("linux", "sigma-rule", fields={"product": "linux"}), entity("cloud", "sigma-rule", fields={"product": "aws"}), entity("any", "sigma-rule"),
        entity("T1", fields={"platforms": ["ESXi", "macOS"]}), entity("T2", fields={"platforms": ["Linux", "Windows"]}), entity("T3"), entity("T4", fields={"platforms": ["PRE"]}),
    )  # fmt: skip
    links = [link(rule, "detects", technique) for rule in ("any", "cloud", "linux") for technique in ("T1", "T2", "T3", "T4")]
    links.append(link("linux", "mentions", "T1"))
    kept, rejects = drop_conflicts(links, entities, ConflictParams())
    assert [(reject.record, reject.reason) for reject in rejects] == [
        ("linux detects T1", "other-platform"), ("linux detects T4", "other-platform"),
    ]  # fmt: skip
    assert len(kept) == 11 and "ESXi, macOS" in rejects[0].detail
