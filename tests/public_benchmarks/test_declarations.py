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


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *(
            (name, "cti-mcq")
            for name in ("cti-mcq", "CTI-MCQ", "CTI_MCQ", "CTI-Bench MCQ", "ctibench-mcq", "cti-bench/cti-mcq", "mcq", " mcq ")
        ),
        *((name, "cti-rcm") for name in ("rcm", "CTI-RCM", "cti_bench_rcm", "CTIBench RCM")),
        *((name, "cti-rcm-2021") for name in ("CTI-RCM 2021", "rcm2021", "CTI-Bench-RCM-2021")),
        *((name, "cti-vsp") for name in ("VSP", "CTI-Bench VSP")),
        *((name, "cti-ate") for name in ("ATE", "cti.ate")),
        *((name, "cti-taa") for name in ("taa", "CTIBench/TAA")),
        *((name, "cybermetric-80") for name in ("CyberMetric80", "CyberMetric-80", "cybermetric_80")),
        ("CyberMetric", "cybermetric-2000"),
        ("CyberMetric 500", "cybermetric-500"),
        *(
            (name, "mmlu-computer-security")
            for name in ("MMLU", "MMLU Computer Security", "computer_security", "mmlu_computer_security")
        ),
        *((name, "seceval") for name in ("SecEval", "sec-eval")),
        ("mitre_frr", "cyberseceval-frr"),
        ("prompt injection", "cyberseceval-prompt-injection"),
        ("secforge rcm", "secforge-rcm"),
    ],
)
def test_a_name_is_found_in_any_form(name: str, found: str) -> None:
    assert find_benchmark(name).name == found


def test_names_and_aliases_are_all_different() -> None:
    aliases = [alias for one in load_benchmarks().values() for alias in one.aliases]
    assert len(set(aliases)) == len(aliases) and not set(aliases) & set(load_benchmarks())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'cti-x'[\s\S]*cti-ate, cti-mcq[\s\S]*benchmarks"):
        find_benchmark("cti-x")


@pytest.mark.parametrize("name", ["cti", "secforge", "cybersec", "cti-bench"])
def test_a_name_of_several_lists_these_alone(name: str) -> None:
    with pytest.raises(InputError, match="may be several") as caught:
        find_benchmark(name)
    assert "mmlu" not in caught.value.allowed and ", " in caught.value.allowed


@pytest.mark.parametrize("name", ["", " ", "a", "bench", "ai", "../x", "rcm 2022"])
def test_a_name_that_means_nothing_lists_all(name: str) -> None:
    with pytest.raises(InputError, match="There is no benchmark") as caught:
        find_benchmark(name)
    assert "mmlu" in caught.value.allowed


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
