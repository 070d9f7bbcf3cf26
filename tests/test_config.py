"""Params are typed; a typing mistake stops the build with the key, the file and what is allowed."""

from pathlib import Path

import pytest

from stages.config import Params, load_params, load_section
from stages.errors import ParamsError


class Keep(Params):
    factuality: int = 8


class Section(Params):
    rate: float = 0.5
    keep: Keep = Keep()


def params_file(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_scientific_notation_is_a_number_as_it_is_for_dvc(tmp_path: Path) -> None:
    path = params_file(tmp_path, "finetune: {rate: 2e-4}\n")
    assert load_section("finetune", Section, path).rate == 2e-4


def test_an_unknown_key_names_the_key_the_file_and_the_type(tmp_path: Path) -> None:
    path = params_file(tmp_path, "enrich: {keep: {factuallity: 9}}\n")
    with pytest.raises(ParamsError) as caught:
        load_section("enrich", Section, path)
    message = str(caught.value)
    assert "factuallity" in message and str(path) in message and "`enrich`" in message and "Section" in message


def test_a_wrong_type_is_refused(tmp_path: Path) -> None:
    path = params_file(tmp_path, "enrich: {keep: {factuality: high}}\n")
    with pytest.raises(ParamsError, match=r"Expected `int`, got `str`.*keep\.factuality"):
        load_section("enrich", Section, path)


def test_an_unknown_section_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="unknown section.*enrihc"):
        load_params(params_file(tmp_path, "enrihc: {}\n"))


@pytest.mark.parametrize("text", ["- a list\n", "", "a: [1\n", "a: &x 1\na: *y\n"])
def test_a_file_that_is_no_mapping_of_sections_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ParamsError, match="Remedy|Allowed"):
        load_params(params_file(tmp_path, text))


def test_a_missing_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="root of the repository"):
        load_params(tmp_path / "params.yaml")
