"""Charts and folders for the tests of the degradations: made-up films with plain shapes, and simulated cases."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from inference.contract import DIAGNOSES
from inference.training.cohort import case_for
from inference.training.robustness.charts import chart_of
from inference.training.robustness.degrade_image import Pixels
from inference.training.robustness.kind import Subject
from inference.training.robustness.kinds import KINDS
from inference.training.robustness.reworded import reworded_note

KIND_OF = {kind.name: kind for kind in KINDS}


def draw_film(seed: int = 0, side: int = 96) -> Pixels:
    """A smooth film with two dark fields and fine grain; 8-bit grey, as films come."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    fields = sum(np.exp(-((x - centre) ** 2 / 0.08 + y**2 / 0.3)) for centre in (-0.45, 0.45))
    grain = np.random.default_rng(seed).normal(0, 0.02, (side, side))
    grey = np.rint((0.75 - 0.5 * fields + grain).clip(0, 1) * 255)
    return np.asarray(grey, np.float32) / np.float32(255)


@cache
def subjects(count: int = 12) -> list[Subject]:
    """Complete charts of all classes: everything measured, and a note as far as one was drawn."""
    found = []
    for number in range(count):
        name, label = f"film-{number}.jpeg", DIAGNOSES[number % len(DIAGNOSES)].key
        case = case_for(name, label, 5, grammar="test")
        found.append(Subject(name, chart_of(draw_film(number), case), reworded_note(name, label, 5)))
    return found


def write_folder(folder: Path, count: int = 6) -> Path:
    """Write a labelled folder with `count` films of each class."""
    for name in ("NORMAL", "PNEUMONIA"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        names = (
            f"NORMAL/IM-{number:04}-0001.jpeg",
            f"PNEUMONIA/person{number}_bacteria_1.jpeg",
            f"PNEUMONIA/person{number}_virus_1.jpeg",
        )
        for place, name in enumerate(names):
            pixels = draw_film(10 * number + place, 64) * (1 - 0.2 * place)
            Image.fromarray((pixels * 255).astype(np.uint8)).save(folder / name)
    return folder
