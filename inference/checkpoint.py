"""A checkpoint folder -> everything needed to answer with it, each file checked by its SHA-256.

config.json     what it is, its scope and calibration (`inference.manifest`)
model.onnx      the graph of `inference.contract`, in one file
tokenizer.json  word pieces, Hugging Face layout
scope.npz       image gate (`inference.gate.GateArrays`); only where there is one
trained_on.npz  digests of the films it was trained on; only where the training wrote them
bank.npz        a few films and notes, encoded (`inference.bank`); only where the training wrote them
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from tokenizers import Tokenizer

from inference.gate import ImageGate
from inference.manifest import (
    CONFIG_NAME,
    Calibration,
    CheckpointError,
    Manifest,
    Scope,
    contract_fields,
    read_manifest,
)
from inference.words import open_tokenizer

__all__ = ["SHIPPED", "Card", "Checkpoint", "CheckpointError", "seal"]

SHIPPED: Final = Path(__file__).parent / "checkpoints" / "paediatric-pneumonia"
MODEL_NAME: Final = "model.onnx"
TOKENIZER_NAME: Final = "tokenizer.json"
GATE_NAME: Final = "scope.npz"
TRAINED_ON_NAME: Final = "trained_on.npz"
BANK_NAME: Final = "bank.npz"
OPTIONAL: Final = (TRAINED_ON_NAME, BANK_NAME)


@dataclass(frozen=True, slots=True)
class Card:
    """What the model card and the explanation page say of a checkpoint."""

    name: str
    version: str
    scope: str
    intended_use: str
    not_for: tuple[str, ...]
    simulated: str
    digest: str
    temperatures: tuple[float, ...]
    seal: str
    """SHA-256 of config.json, which lists the digests of all other files: another calibration is another seal."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A loaded checkpoint; `digest` is the SHA-256 of model.onnx, hexadecimal."""

    folder: Path
    name: str
    version: str
    card: Card
    scope: Scope
    calibration: Calibration
    tokenizer: Tokenizer
    gate: ImageGate | None
    digest: str

    @classmethod
    def load(cls, folder: Path | None = None) -> Checkpoint:
        """Load a checkpoint folder; the shipped one when none is given.

        Raises:
            CheckpointError: a file is missing, changed since the export, or does not fit this version.
        """
        folder = SHIPPED if folder is None else folder
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        threshold = manifest.scope.image_gate_threshold
        return cls(
            folder,
            manifest.name,
            manifest.version,
            make_card(manifest, digest_of(folder / CONFIG_NAME)),
            manifest.scope,
            manifest.calibration,
            open_tokenizer(folder / TOKENIZER_NAME),
            None if threshold is None else ImageGate.load(folder / GATE_NAME, threshold),
            manifest.files[MODEL_NAME],
        )

    @property
    def model_path(self) -> Path:
        """Where the graph lies."""
        return self.folder / MODEL_NAME

    @property
    def identity(self) -> str:
        """Name and version, as predictions carry them."""
        return f"{self.name} {self.version}"


def make_card(manifest: Manifest, seal: str) -> Card:
    """Join the sentences of config.json with what is known of the files."""
    text = manifest.card
    return Card(
        manifest.name,
        manifest.version,
        text.scope,
        text.intended_use,
        text.not_for,
        text.simulated,
        manifest.files[MODEL_NAME],
        manifest.calibration.temperatures,
        seal,
    )


def needed_files(*, gated: bool) -> tuple[str, ...]:
    """Name the files beside config.json."""
    return (MODEL_NAME, TOKENIZER_NAME, GATE_NAME) if gated else (MODEL_NAME, TOKENIZER_NAME)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Refuse a checkpoint with a file that is missing, unlisted or not the one that was exported."""
    optional = tuple(name for name in OPTIONAL if name in manifest.files)
    for name in needed_files(gated=manifest.scope.image_gate_threshold is not None) + optional:
        if name not in manifest.files:
            raise CheckpointError(f"{folder / CONFIG_NAME} lists no digest of {name}: export the checkpoint again")
        if digest_of(folder / name) != manifest.files[name]:
            raise CheckpointError(
                f"{folder / name} is not the file that was exported (its SHA-256 differs): "
                "restore it, or export the checkpoint again"
            )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Raises:
        CheckpointError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: restore it, or export the checkpoint again") from error


def seal(folder: Path, settings: Mapping[str, Any]) -> Checkpoint:
    """Write config.json for the files that lie in a folder, and load the result.

    Args:
        folder: holds model.onnx, tokenizer.json and, with an image gate, scope.npz; trained_on.npz where there is one.
        settings: `name`, `version`, `card`, `scope` and `calibration`, as `inference.manifest` describes them.

    Raises:
        CheckpointError: a file is missing or a setting does not fit.
    """
    gated = settings["scope"].get("image_gate_threshold") is not None
    optional = tuple(name for name in OPTIONAL if (folder / name).exists())
    files = {name: digest_of(folder / name) for name in needed_files(gated=gated) + optional}
    config = {**settings, **contract_fields(), "files": files}
    (folder / CONFIG_NAME).write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2))
    return Checkpoint.load(folder)
