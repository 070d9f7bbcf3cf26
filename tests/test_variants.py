from stages.variants import FOLDERS, TUNED, VARIANTS
from tests.graph_reader import dvc_stages, paths_of


def test_every_variant_lies_where_a_stage_puts_it() -> None:
    made = {path for stage in dvc_stages().values() for path in paths_of(stage["outs"])}
    assert set(FOLDERS.values()) <= made
    assert tuple(FOLDERS) == VARIANTS == ("base", *TUNED)
