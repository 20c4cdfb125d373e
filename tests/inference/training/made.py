"""Judged cases and folders of films, made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inference.calibrate import probabilities
from inference.manifest import MASKS
from inference.training.judged import Answers, Judged

NAMES = ("NORMAL/IM-{:04d}-0001.jpeg", "PNEUMONIA/person{}_bacteria_1.jpeg", "PNEUMONIA/person{}_virus_1.jpeg")


def draw_judged(count: int, sharpness: float = 1.0, seed: int = 0, films: int = 1) -> Judged:
    """Draw labels from softmax(logits), and make the logits `sharpness` times too sure; each patient has `films`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, 3)) * 1.5
    shares = probabilities(logits.astype(np.float32), 1.0)
    labels = np.array([rng.choice(3, p=row) for row in shares], np.int64)
    return Judged(
        (logits * sharpness).astype(np.float32), labels, np.array([f"p{row // films}" for row in range(count)])
    )


def draw_answers(count: int, sharpness: float = 1.0, seed: int = 0, films: int = 1) -> Answers:
    """Judge the same cases with every set of modalities, differently; every third case has no note."""
    whole = draw_judged(count, sharpness, seed, films)
    noise = np.random.default_rng(seed + 1).normal(size=(len(MASKS), count, 3)).astype(np.float32)
    logits = {mask: whole.logits + 0.2 * noise[place] for place, mask in enumerate(MASKS)}
    there = np.ones((count, 3), bool)
    there[::3, 1] = False
    return Answers(logits, there, whole.labels, whole.groups, np.arange(count))


def make_folder(folder: Path, patients: int, first: int = 1) -> Path:
    """Write a film of noise for each of `patients` of every class, numbered from `first` on."""
    for number in range(first, first + patients):
        for place, name in enumerate(NAMES):
            path = folder / name.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng([number, place]).integers(0, 255, (24, 24), dtype=np.uint8)
            Image.fromarray(pixels).save(path, quality=90)
    return folder
