from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.checkpoint import Checkpoint, CheckpointError, digest_of, seal
from inference.contract import DIAGNOSES, MEASUREMENTS
from inference.manifest import MASKS
from tests.inference.tiny_checkpoint import make_checkpoint, make_gate, tiny_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_checkpoint(tmp_path)
    return tmp_path


def change_config(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Write config.json again with something changed."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def test_sealed_folder_loads_with_its_digest(folder: Path) -> None:
    """The digest of a checkpoint is the SHA-256 of its graph."""
    checkpoint = Checkpoint.load(folder)

    assert checkpoint.digest == checkpoint.card.digest == digest_of(folder / "model.onnx")
    assert checkpoint.identity == "tiny 0.0.1"


def test_seal_writes_the_contract_itself(folder: Path) -> None:
    """Whoever exports cannot write other labels or measurements than the contract has."""
    config = json.loads((folder / "config.json").read_text())

    assert [label["key"] for label in config["labels"]] == [diagnosis.key for diagnosis in DIAGNOSES]
    assert [slot["key"] for slot in config["measurements"]] == [slot.key for slot in MEASUREMENTS]


@pytest.mark.parametrize("name", ["config.json", "model.onnx", "tokenizer.json", "scope.npz"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    """A checkpoint without one of its files is refused by the name of that file."""
    (folder / name).unlink()

    with pytest.raises(CheckpointError, match=name):
        Checkpoint.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "scope.npz"])
def test_changed_file_is_refused(folder: Path, name: str) -> None:
    """A file that is not the one that was exported never answers."""
    with (folder / name).open("ab") as file:
        file.write(b"x")

    with pytest.raises(CheckpointError, match=rf"{name} is not the file that was exported"):
        Checkpoint.load(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda config: config.update(format=1), "has format 1, this version reads format 2: in its calibration put"),
        (lambda config: config.update(format=3), "has format 3.*use the version of this program that made it"),
        (lambda config: config.update(format=[]), "has format"),
        (lambda config: config.pop("format"), "has format None"),
        (lambda config: config.pop("version"), "version"),
        (lambda config: config["scope"].pop("min_age_months"), r"scope\.min_age_months"),
        (lambda config: config["calibration"].update(temperatures=[1, 1, 0]), r"calibration\.temperatures\.2"),
        (lambda config: config["calibration"].update(temperatures=["1", 1, 1]), r"calibration\.temperatures\.0"),
        (lambda config: config["calibration"].update(temperatures=[1, 1]), "2 temperatures for 3 labels"),
        (lambda config: config["calibration"].update(selection={"error": 0.1}), r"calibration\.selection\.doubt"),
        (
            lambda config: config["calibration"].update(selection={"error": 0.1, "doubt": 0.1, "answer_from": {}}),
            "no threshold to answer from for image, text",
        ),
        (lambda config: config["calibration"]["quantiles"].pop("image+text"), r"no conformal quantile for image\+text"),
        (lambda config: config["labels"].reverse(), "made for other labels"),
        (lambda config: config["labels"][1].update(snomed="1"), "made for other labels"),
        (lambda config: config["measurements"].reverse(), "made for other measurements"),
        (lambda config: config["measurements"][2].update(centre=0), "made for other measurements"),
        (lambda config: config.update(image_size=64, text_tokens=9), "made for other image_size, text_tokens"),
        (lambda config: config["scope"].update(min_age_months=72), "a scope without any age"),
        (lambda config: config["files"].pop("scope.npz"), r"lists no digest of scope\.npz"),
    ],
)
def test_unfit_config_is_refused(folder: Path, change: Callable[[dict[str, Any]], None], sentence: str) -> None:
    """A config.json that is incomplete or made for something else is refused by the name of the field."""
    change_config(folder, change)

    with pytest.raises(CheckpointError, match=sentence):
        Checkpoint.load(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_config_that_is_no_config_is_refused(folder: Path, content: bytes) -> None:
    """A damaged config.json is a sentence and not a traceback."""
    (folder / "config.json").write_bytes(content)

    with pytest.raises(CheckpointError, match=r"config\.json"):
        Checkpoint.load(folder)


def test_checkpoint_without_gate_needs_no_scope_file(folder: Path) -> None:
    """The image gate is optional, and so is its file."""
    (folder / "scope.npz").unlink()
    settings = tiny_settings()
    settings["scope"]["image_gate_threshold"] = None

    assert seal(folder, settings).gate is None


def test_gate_of_another_form_is_refused(folder: Path) -> None:
    """A gate whose arrays do not fit together is refused when the checkpoint is loaded, not at the first patient."""
    arrays = make_gate(np.zeros(6)).arrays
    replace(arrays, precision=np.eye(5)).save(folder / "scope.npz")

    with pytest.raises(CheckpointError, match=r"scope\.npz"):
        seal(folder, tiny_settings())


def test_every_set_of_modalities_has_a_mask() -> None:
    """Seven masks, and no mask for a patient of whom nothing is known."""
    assert len(set(MASKS)) == 7
    assert "" not in MASKS


def test_films_it_was_trained_on_are_sealed_too(folder: Path) -> None:
    """Where the training wrote down its films, that list cannot be exchanged unnoticed."""
    np.savez(folder / "trained_on.npz", films=np.arange(3, dtype=np.uint64))
    seal(folder, tiny_settings())
    np.savez(folder / "trained_on.npz", films=np.arange(2, dtype=np.uint64))

    with pytest.raises(CheckpointError, match=r"trained_on\.npz is not the file that was exported"):
        Checkpoint.load(folder)
