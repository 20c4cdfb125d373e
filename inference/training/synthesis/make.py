"""A folder of labelled radiographs -> synthetic candidates of each class, and how alike each is to a real film."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import structlog
import torch
import typer
from PIL import Image

from inference.contract import DIAGNOSES
from inference.training.data.films import Film, load_pixels, read_folder
from inference.training.synthesis.fit import Recipe, fit
from inference.training.synthesis.novelty import COMPARED_SIDE, nearest_similarity, typical_similarity
from inference.training.synthesis.sample import Generator, sample_films
from inference.training.synthesis.stages import BASE, DETAIL, FILM_SIDE
from inference.training.synthesis.unmark import unmark

log = structlog.get_logger(__name__)
Pixels = npt.NDArray[np.uint8]

BATCH: Final = 20
COMPARED_FILMS: Final = 500
"""Training films from which the typical likeness between two patients is measured."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many steps each stage is fitted for, and how many candidates are made of each class."""

    base_steps: int
    detail_steps: int
    count: int


def fit_generator(films: list[Film], effort: Effort, folder: Path) -> Generator:
    """Fit both stages on films, or take them from the checkpoints in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = torch.from_numpy(np.stack([unmark(film) for film in load_pixels(films, FILM_SIDE)])).unsqueeze(1)
    labels = torch.tensor([film.label for film in films])
    base = fit(BASE, Recipe(effort.base_steps), pixels, labels, folder / "base.pt")
    detail = fit(DETAIL, Recipe(effort.detail_steps), pixels, labels, folder / "detail.pt")
    return Generator(base, detail)


def write_candidates(generator: Generator, count: int, folder: Path) -> dict[str, Pixels]:
    """Write `count` films of each class as CLASS_NUMBER.png, and return them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Pixels] = {}
    for label, diagnosis in enumerate(DIAGNOSES):
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            films = sample_films(generator, label, numbers)
            made |= {f"{diagnosis.key}_{number}": film for number, film in zip(numbers, films, strict=True)}
        log.info("sampled", diagnosis=diagnosis.key, films=count)
    for name, film in made.items():
        Image.fromarray(film).save(folder / f"{name}.png", optimize=True)
    return made


def shrink(film: Pixels) -> Pixels:
    """Bring a film (S, S) to the side at which films are compared."""
    return np.asarray(Image.fromarray(film).resize((COMPARED_SIDE, COMPARED_SIDE), Image.Resampling.BICUBIC))


def compare(made: dict[str, Pixels], films: list[Film]) -> dict[str, object]:
    """Measure how alike each made film and its nearest real film are, and what is typical between two patients."""
    real = load_pixels(films, COMPARED_SIDE)
    likeness, nearest = nearest_similarity(np.stack([shrink(film) for film in made.values()]), real)
    typical = typical_similarity(real, [film.group for film in films], COMPARED_FILMS)
    rows = {
        name: {"similarity": round(float(value), 4), "film": films[index].path.name}
        for name, value, index in zip(made, likeness, nearest, strict=True)
    }
    return {"typical_between_patients": round(typical, 4), "compared_with": len(films), "nearest": rows}


def make(
    images: Annotated[Path, typer.Option(help="Folder with the subfolders NORMAL and PNEUMONIA.")],
    out: Annotated[Path, typer.Option(help="Where candidates, similarity.json and checkpoints go.")],
    count: Annotated[int, typer.Option(min=1, help="Candidates of each class.")] = 60,
    base_steps: Annotated[int, typer.Option(min=1, help="Steps of the coarse network.")] = 2400,
    detail_steps: Annotated[int, typer.Option(min=1, help="Steps of the detail network.")] = 1000,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 1,
) -> None:
    """Fit the generator on the training split and write synthetic films; an interrupted run goes on where it was."""
    torch.set_num_threads(threads)
    films = read_folder(images)
    training = [film for film in films if film.split == "train"]
    generator = fit_generator(training, Effort(base_steps, detail_steps, count), out / "checkpoints")
    made = write_candidates(generator, count, out / "candidates")
    (out / "similarity.json").write_text(json.dumps(compare(made, training), indent=1) + "\n")


if __name__ == "__main__":
    typer.run(make)
