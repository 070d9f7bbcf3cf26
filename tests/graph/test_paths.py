"""Sampled paths and the pattern notation."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.config import load_params
from stages.errors import ParamsError
from stages.graph.params import PathParams
from stages.graph.paths import FAN, MANY, count_walks, sample_paths
from stages.graph.patterns import parse_pattern
from stages.profiles.merge import load_profile
from tests.graph.sample import entity, link, table

CHAIN = "technique >corresponds-to attack-pattern >exploits weakness ^instance-of vulnerability"
SHORT = "attack-pattern >exploits weakness ^instance-of vulnerability"


def world(size: int = 6) -> tuple[dict, list]:  # type: ignore[type-arg]
    entities = [entity("t", "technique"), entity("p", "attack-pattern"), entity("p2", "attack-pattern"), entity("w", "weakness")]
    links = [link("t", "corresponds-to", "p"), link("p", "exploits", "w"), link("p2", "exploits", "w")]
    for i in range(size):
        entities.append(entity(f"v{i}", "vulnerability"))
        links.append(link(f"v{i}", "instance-of", "w"))
    return table(*entities), links


def test_a_path_names_nodes_and_directions() -> None:
    entities, links = world(1)
    (path,) = sample_paths(entities, links, PathParams(patterns=[CHAIN]))
    assert path.nodes == ["t", "p", "w", "v0"] and path.relations == ["corresponds-to", "exploits", "^instance-of"]


def test_no_path_contains_another() -> None:
    entities, links = world()
    paths = sample_paths(entities, links, PathParams(patterns=[SHORT, CHAIN]))
    long = [path.nodes for path in paths if len(path.nodes) == 4]
    short = [path.nodes for path in paths if len(path.nodes) == 3]
    assert len(long) == 6 and len(short) == 6 and all(nodes[0] == "p2" for nodes in short)


def test_caps_hold_and_any_order_of_rows_gives_the_same() -> None:
    entities, links = world(20)
    params = PathParams(patterns=[SHORT], per_pair=10, per_start=7)
    paths = sample_paths(entities, links, params)
    assert len(paths) == 10 and max(sum(path.nodes[0] == start for path in paths) for start in ("p", "p2")) <= 7
    assert paths == sample_paths(dict(reversed(entities.items())), links[::-1], params)
    assert paths != sample_paths(entities, links, PathParams(patterns=[SHORT], per_pair=10, per_start=7, seed=3))


def test_ends_that_are_linked_directly_need_no_path() -> None:
    entities, links = world(2)
    links.append(link("p", "related-to", "v0"))
    found = {tuple(path.nodes) for path in sample_paths(entities, links, PathParams(patterns=[SHORT]))}
    assert ("p", "w", "v0") not in found and ("p", "w", "v1") in found


def test_walks_are_counted_before_sampling() -> None:
    entities, links = world(20)
    assert count_walks(entities, links, PathParams(patterns=[SHORT, CHAIN], per_pair=1)) == {SHORT: 40, CHAIN: 20}


@pytest.mark.parametrize("pattern", ["", "technique", "technique uses group", "technique >uses", "a >b c d"])
def test_a_malformed_pattern_is_named(pattern: str) -> None:
    with pytest.raises(ParamsError, match="is not a path of types and steps"):
        parse_pattern(pattern)


def test_every_relation_of_a_sampled_path_has_a_sentence() -> None:
    """The tasks stage says each step of a path; a pattern with an unknown relation would stop the build there."""
    root = Path(__file__).resolve().parents[2]
    sentences = YAML(typ="safe", pure=True).load((root / "stages/tasks/relations.yaml").read_text())
    for params in (load_params(root / "params.yaml"), load_profile("full")):
        for pattern in params["graph"]["paths"]["patterns"]:
            assert {step.removeprefix("^") for step in parse_pattern(pattern)[1]} <= sentences.keys(), pattern


def test_a_hub_is_thinned_and_walks_are_counted_without_walking() -> None:
    entities = table(entity("t"), entity("w", "weakness"), *(entity(f"v{i}", "vulnerability") for i in range(MANY + 5)))
    links = [link("t", "exploits", "w"), *(link(f"v{i}", "instance-of", "w") for i in range(MANY + 5))]
    params = PathParams(patterns=["technique >exploits weakness ^instance-of vulnerability"], per_start=50)
    found = sample_paths(entities, links, params)
    assert len(found) == FAN and found == sample_paths(entities, links, params)
    assert count_walks(entities, links, params) == {params.patterns[0]: MANY + 5}
