from pathlib import Path

import pytest

from stages.errors import InputError
from stages.public_benchmarks.declarations import FOLDER, PROMPTS, find_benchmark, load_benchmarks, read_declaration
from stages.public_benchmarks.items import KEYS


def test_every_benchmark_of_the_brief_is_declared() -> None:
    assert set(load_benchmarks()) == {
        *("cti-mcq", "cti-rcm", "cti-rcm-2021", "cti-vsp", "cti-ate", "cti-taa", "seceval", "mmlu-computer-security"),
        *(f"cybermetric-{size}" for size in (80, 500, 2000, 10000)),
        *("cyberseceval-frr", "cyberseceval-prompt-injection"),
        *("secforge-mcq", "secforge-rcm", "secforge-relations", "secforge-detect-mitigate", "secforge-adversarial-cti"),
        "secforge-weakness-impact",
    }


def test_declarations_are_whole() -> None:
    for one in load_benchmarks().values():
        assert one.licence and one.terms and one.version and one.url and one.items > 0
        assert one.columns.prompt or (PROMPTS / one.prompt).is_file()
        assert one.sha256 or one.local or "--benchmark-file" in " ".join(one.notes)
        assert one.extractor in KEYS or one.extractor in ("refusal", "literal")
        assert not one.chance or one.columns.options


def test_a_name_is_found_in_any_form() -> None:
    assert find_benchmark("CTI_MCQ").name == "cti-mcq"
    assert find_benchmark("cybermetric").name == "cybermetric-2000"
    aliases = [alias for one in load_benchmarks().values() for alias in one.aliases]
    assert len(set(aliases)) == len(aliases) and not set(aliases) & set(load_benchmarks())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'cti-x'[\s\S]*cti-ate, cti-mcq[\s\S]*benchmarks"):
        find_benchmark("cti-x")


def test_a_damaged_declaration_names_its_file(tmp_path: Path) -> None:
    good = (FOLDER / "cti-mcq.yaml").read_text(encoding="utf-8")
    for text, said in (
        (good + "colour: red\n", "colour"),
        ("a: [", "bad.yaml"),
        (good, "cti-mcq"),
        (good.replace("extractor: letter", "extractor: x"), "x"),
    ):
        (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=said) as caught:
            read_declaration(tmp_path / "bad.yaml")
        assert "bad.yaml" in str(caught.value)
