from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from inference.baselines.published.state import read_state
from inference.manifest import CheckpointError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Trap:
    """A pickle that writes a file when it is opened."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[Path, str], int], tuple[Path, str]]:
        return Path.write_text, (self.target, "caught")


def same(found: dict[str, Tensor]) -> bool:
    return found.keys() == TENSORS.keys() and all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: tensors,
        lambda tensors: {"state_dict": tensors, "epoch": 3},
        lambda tensors: {"model": tensors, "optimizer": {"lr": 0.1}},
        lambda tensors: {"model": {"state_dict": tensors}},
        lambda tensors: {f"module.{name}": tensor for name, tensor in tensors.items()},
        lambda tensors: {"state_dict": {f"module.{name}": tensor for name, tensor in tensors.items()}},
    ],
)
@pytest.mark.parametrize("name", ["weights.pt", "pytorch_model.bin"])
def test_wrappers_are_taken_off(tmp_path: Path, wrap: Callable[[Any], Any], name: str) -> None:
    """What training programs put around a state dict makes no difference."""
    torch.save(wrap(TENSORS), tmp_path / name)

    assert same(read_state(tmp_path / name))


def test_old_pytorch_files_are_read(tmp_path: Path) -> None:
    """Files from before PyTorch 1.6 are no zip archives and are read all the same."""
    torch.save(TENSORS, tmp_path / "old.pt", _use_new_zipfile_serialization=False)

    assert same(read_state(tmp_path / "old.pt"))


def test_safetensors_files_are_read(tmp_path: Path) -> None:
    """The format that can hold no code is welcome."""
    save_file(TENSORS, tmp_path / "model.safetensors")

    assert same(read_state(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("inside", ["pytorch_model.bin", "medclip-vit/pytorch_model.bin"])
def test_published_zip_is_read_without_unpacking_it_to_disk(tmp_path: Path, inside: str) -> None:
    """MedCLIP comes as a zip, from which the weights are read directly."""
    torch.save(TENSORS, tmp_path / "weights.bin")
    with zipfile.ZipFile(tmp_path / "medclip.zip", "w") as archive:
        archive.write(tmp_path / "weights.bin", inside)
        archive.writestr("__MACOSX/._pytorch_model.bin", b"\0")

    assert same(read_state(tmp_path / "medclip.zip"))


def test_one_module_prefix_among_other_names_stays(tmp_path: Path) -> None:
    """`module.` is a wrapper only where every name has it."""
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "mixed.pt")

    assert set(read_state(tmp_path / "mixed.pt")) == {"module.a", "b"}


@pytest.mark.parametrize("zipped", [False, True])
def test_malicious_pickle_is_refused_unopened(tmp_path: Path, zipped: bool) -> None:  # noqa: FBT001 - a table column
    """A file that would run code is refused before the code runs, and the message says what to do."""
    caught = tmp_path / "caught"
    torch.save({"a": torch.ones(1), "b": Trap(caught)}, tmp_path / "evil.pt", _use_new_zipfile_serialization=zipped)

    with pytest.raises(CheckpointError, match=r"evil\.pt .*can run code.*save only the weights"):
        read_state(tmp_path / "evil.pt")

    assert not caught.exists()


def test_malicious_pickle_in_a_zip_is_refused_unopened(tmp_path: Path) -> None:
    """The published zip is no way round the check."""
    caught = tmp_path / "caught"
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("pytorch_model.bin", pickle.dumps(Trap(caught), protocol=2))

    with pytest.raises(CheckpointError, match="can run code"):
        read_state(tmp_path / "evil.zip")

    assert not caught.exists()


def test_pickled_module_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """A whole module is code by reference: its state dict is asked for."""
    torch.save(nn.Linear(2, 2), tmp_path / "module.pt")

    with pytest.raises(CheckpointError, match=re.escape("torch.save(model.state_dict(), path)")):
        read_state(tmp_path / "module.pt")


def test_torchscript_archive_is_refused_by_name(tmp_path: Path) -> None:
    """A TorchScript archive holds code."""
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("archive/constants.pkl", b"")
        archive.writestr("archive/data.pkl", b"")

    with pytest.raises(CheckpointError, match="TorchScript"):
        read_state(tmp_path / "script.pt")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({}, "no tensors by name"),
        ([torch.ones(1)], "no tensors by name"),
        ({"a": torch.ones(1), "epoch": 3}, r"no tensors \(epoch\)"),
        ({1: torch.ones(1)}, r"no tensors \(1\)"),
        ({"a": torch.ones(2).to_sparse()}, r"no tensors \(a\)"),
        ({"a": torch.ones(1, device="meta")}, r"no tensors \(a\)"),
        ({"a": torch.ones(1).expand(10**12)}, r"no tensors \(a\)"),
        ({"a": torch.tensor([1.0, float("nan")])}, "no numbers in a"),
        ({"a": torch.tensor([float("inf")])}, "no numbers in a"),
        ({str(number): torch.tensor(float("nan")) for number in range(6)}, "0, 1, 2, 3 and 2 more"),
    ],
)
def test_content_that_is_no_state_dict_is_refused(tmp_path: Path, content: object, sentence: str) -> None:
    """Anything but finite tensors by name is refused, and what is wrong is named."""
    torch.save(content, tmp_path / "odd.pt")

    with pytest.raises(CheckpointError, match=rf"odd\.pt .*{sentence}"):
        read_state(tmp_path / "odd.pt")


@pytest.mark.parametrize("name", ["weights.pt", "weights.zip", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK", b"<!DOCTYPE html>", b"\x80\x02}q\x00", b"\x08" * 40])
def test_file_that_is_something_else_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """A page of an expired download link, or half a file, is a sentence and not a traceback."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        read_state(tmp_path / name)


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    """A download that broke off is called damaged."""
    torch.save(TENSORS, tmp_path / "weights.pt")
    (tmp_path / "weights.pt").write_bytes((tmp_path / "weights.pt").read_bytes()[:-200])

    with pytest.raises(CheckpointError, match="damaged"):
        read_state(tmp_path / "weights.pt")


def test_zip_without_weights_is_refused(tmp_path: Path) -> None:
    """A zip of something else says which file was looked for."""
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", b"hello")

    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin"):
        read_state(tmp_path / "other.zip")


@pytest.mark.parametrize("name", ["missing.pt", "missing.safetensors", "."])
def test_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    """A path to nothing, or to a folder, is refused by its name."""
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state(tmp_path / name)
