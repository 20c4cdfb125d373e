"""A checkpoint and a hospital's own films -> the same checkpoint with a gate that knows these films.

The gate learns what films look like where they were made: another hospital's may look strange to it although the model
would read them. Nothing but scope.npz and the threshold changes; the features are those of the exported graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from inference.backends.onnx import OnnxBackend
from inference.checkpoint import GATE_NAME, MODEL_NAME, Checkpoint, seal
from inference.manifest import read_manifest
from inference.training.data.films import Film, FolderError, load_pixels
from inference.training.scope.features import served_encoder
from inference.training.scope.fit import fit_scope_gate
from inference.training.scope.strangers import read_adults


def refit_gate(
    folder: Path, films: Sequence[Film], adult_folder: Path | None, seed: int, threads: int = 1
) -> Checkpoint:
    """Fit the gate of a checkpoint anew, by the training and calibration splits of films, and seal it.

    Args:
        folder: the checkpoint; its scope.npz may be missing or of an older form.
        films: in scope, of whatever hospital.
        adult_folder: laid out as `chest-xray-adult`, half of whose patients are used; None fits without adults.
        seed: decides everything that is drawn.
        threads: CPU threads of the graph.

    Raises:
        FolderError: a split is empty, or a film cannot be read.
        CheckpointError: the folder is no checkpoint.
    """
    splits = [[film for film in films if film.split == split] for split in ("train", "calibration")]
    if not all(splits):
        raise FolderError("the gate needs films of the training and of the calibration split: give more films")
    train, held = (load_pixels(split) for split in splits)
    adults = None if adult_folder is None else read_adults(adult_folder).half(0).pixels
    settings = asdict(read_manifest(folder))
    fit = fit_scope_gate(served_encoder(OnnxBackend(folder / MODEL_NAME, threads=threads)), train, held, adults, seed)
    fit.gate.arrays.save(folder / GATE_NAME)
    settings["scope"] |= fit.settings()
    return seal(folder, {name: settings[name] for name in ("name", "version", "card", "scope", "calibration")})
