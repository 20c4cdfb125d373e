"""A folder of films and a recipe -> a checkpoint: every step of training, each resumable from its file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from inference.calibrate import probabilities
from inference.checkpoint import Checkpoint
from inference.manifest import MASKS
from inference.model.config import ModelConfig
from inference.model.mllm import MultimodalModel
from inference.training.calibration import COVERAGE, GateFit, conformal_quantile, fit_gate, fit_temperature
from inference.training.cases import tensors_of
from inference.training.data.films import Film, Split, load_pixels, read_folder
from inference.training.encode_cases import cases_of
from inference.training.evaluate import judge
from inference.training.fit_fusion import FusionData, encode_films, fit_fusion
from inference.training.fit_image import ImageClassifier, Pictures, Report, fit_image
from inference.training.pack import load_weights, pack, save_weights
from inference.training.recipe import Recipe
from inference.training.tokenizer import read_medqa, train_tokenizer
from inference.words import open_tokenizer

NOTES_FOR_WORDS: Final = 3
"""Simulated notes a training film from which the word pieces are learnt."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run: its recipe, its folder of intermediate files, and where its progress goes."""

    recipe: Recipe
    folder: Path
    report: Report


def take(films: Sequence[Film], split: Split) -> FusionData:
    """Load one split into memory."""
    chosen = [film for film in films if film.split == split]
    return FusionData(chosen, Pictures.of(load_pixels(chosen), [film.label for film in chosen]))


def make_tokenizer(run: Run, train: FusionData, medqa: Path | None) -> Tokenizer:
    """Train the tokenizer, or read the one of an interrupted run; always padding to the model's length."""
    path = run.folder / "tokenizer.json"
    if not path.exists():
        notes = [
            case.note
            for draw in range(NOTES_FOR_WORDS)
            for case in cases_of(train.films, run.recipe.seed, grammar="train", draw=-1 - draw)
            if case.note is not None
        ]
        texts = notes + (list(read_medqa(medqa)) if medqa else [])
        train_tokenizer(texts, run.recipe.vocabulary).save(str(path))
    return open_tokenizer(path)


def make_encoder(run: Run, config: ModelConfig, train: FusionData, validation: FusionData) -> ImageClassifier:
    """Train the image encoder, or read the one of an interrupted run."""
    path = run.folder / "image.safetensors"
    classifier = ImageClassifier(config)
    if path.exists():
        classifier.load_state_dict(load_file(path))
        return classifier
    pictures = (train.pictures, validation.pictures)
    torch.manual_seed(run.recipe.seed)
    for stage in run.recipe.image:
        classifier = fit_image(classifier, stage, *pictures, run.recipe.seed, run.report)
    save_file({name: tensor.contiguous() for name, tensor in classifier.state_dict().items()}, path)
    return classifier


def calibrate(
    run: Run, model: MultimodalModel, train: FusionData, held: FusionData, tokenizer: Tokenizer
) -> tuple[dict[str, Any], GateFit]:
    """Fit temperature, quantiles and gate on the calibration split `held`; returns the settings, and the gate."""
    tokens = encode_films(model.image, held.pictures.pixels, None)
    cases = tensors_of(cases_of(held.films, run.recipe.seed, grammar="test"), tokenizer)
    labels = held.pictures.labels.numpy()
    logits = {mask: judge(model, tokens, cases, mask.split("+")) for mask in MASKS}
    temperature = fit_temperature(np.concatenate(list(logits.values())), np.tile(labels, len(MASKS)))
    quantiles = {
        mask: conformal_quantile(np.stack([probabilities(row, temperature) for row in logits[mask]]), labels)
        for mask in MASKS
    }
    seen = encode_films(model.image, train.pictures.pixels, None).mean(1)
    gate = fit_gate(seen.numpy(), tokens.mean(1).numpy())
    scope = asdict(run.recipe.scope) | {"image_gate_threshold": gate.threshold}
    settings = {
        "name": run.recipe.name,
        "version": run.recipe.version,
        "card": asdict(run.recipe.card),
        "scope": scope,
        "calibration": {"temperature": temperature, "coverage": COVERAGE, "quantiles": quantiles},
    }
    return settings, gate


def train_checkpoint(run: Run, images: Path, out: Path, medqa: Path | None = None) -> Checkpoint:
    """Train on a folder of films and write a checkpoint to `out`.

    Args:
        run: recipe, working folder and progress; steps whose file is in the folder are not repeated.
        images: folder laid out as `inference.training.data.films` says.
        out: the checkpoint folder.
        medqa: MedQA questions, so that ordinary English is in the vocabulary; None learns it from the notes alone.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    films = read_folder(images)
    train, validation = take(films, "train"), take(films, "validation")
    tokenizer = make_tokenizer(run, train, medqa)
    config = ModelConfig(vocabulary=math.ceil(tokenizer.get_vocab_size() / 8) * 8)
    encoder = make_encoder(run, config, train, validation)
    path = run.folder / "fused.safetensors"
    if not path.exists():
        torch.manual_seed(run.recipe.seed)
        model = MultimodalModel(config)
        model.image.load_state_dict(encoder.encoder.state_dict())
        for number, stage in enumerate(run.recipe.fusion):
            # Another seed for each stage: it should see other notes around the same films.
            seed = run.recipe.seed + number
            model = fit_fusion(model, stage, (train, validation), tokenizer, seed, run.report)
        save_weights(model, path)
    model = load_weights(path)  # rounded to half precision: what is calibrated is what ships
    settings, gate = calibrate(run, model, train, take(films, "calibration"), tokenizer)
    return pack(model, tokenizer, gate, out, settings)
