"""The generator of demo films: its parts on tiny shapes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from inference.training.synthesis.fit import CheckpointError, Fitting, Recipe, fit
from inference.training.synthesis.flow import walk
from inference.training.synthesis.make import make
from inference.training.synthesis.model import NO_CLASS, FlowNet
from inference.training.synthesis.sample import Generator, draw_noise, sample_films
from inference.training.synthesis.stages import BASE, CONTRAST, DETAIL, DETAIL_CONTRAST, draw_base, draw_detail

TINY_BASE = replace(BASE, widths=(16, 16))
TINY_DETAIL = replace(DETAIL, widths=(8, 8))
SIDE = 32


class KnownFlow(FlowNet):
    """A network whose velocity is its label, everywhere and always."""

    def __init__(self) -> None:
        super().__init__(patch=1, widths=(8,), conditioned=False)

    def forward(self, noisy: Tensor, time: Tensor, label: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the label as velocity (B, 1, S, S)."""
        return label.float()[:, None, None, None].expand_as(noisy)


def make_films(count: int = 24) -> tuple[Tensor, Tensor]:
    """Make films uint8 (count, 1, SIDE, SIDE) whose class is their brightness, and their classes."""
    labels = torch.arange(count) % 3
    grain = torch.randint(0, 20, (count, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    return (labels[:, None, None, None] * 100 + grain).byte(), labels


@pytest.mark.parametrize(("label", "guidance", "end"), [(1, 1.0, 1.0), (0, 1.0, 0.0), (1, 2.0, 1.0 - (NO_CLASS - 1))])
def test_walk_follows_the_velocity(label: int, guidance: float, end: float) -> None:
    """The walk ends at noise plus velocity, and guidance goes beyond it, away from "any class"."""
    films = walk(KnownFlow(), torch.zeros(2, 1, 4, 4), torch.full((2,), label), steps=5, guidance=guidance)
    assert films == pytest.approx(torch.full((2, 1, 4, 4), end).numpy(), abs=1e-5)


def test_condition_must_fit_the_network() -> None:
    """A network made with a condition refuses to run without it, and the other way round."""
    picture, moment, label = torch.zeros(1, 1, 8, 8), torch.zeros(1), torch.zeros(1, dtype=torch.long)
    with pytest.raises(ValueError, match="conditioned=True"):
        TINY_DETAIL.build(0)(picture, moment, label)
    with pytest.raises(ValueError, match="conditioned=True"):
        TINY_BASE.build(0)(picture, moment, label, picture)


def test_base_examples_are_coarse_films() -> None:
    """The base network sees films a quarter as wide, centred on middle grey."""
    clean, condition = draw_base(torch.full((2, 1, SIDE, SIDE), 0.75), torch.Generator())
    assert condition is None
    assert clean.numpy() == pytest.approx(np.full((2, 1, SIDE // 4, SIDE // 4), 0.25 * CONTRAST))


def test_detail_and_condition_add_up_to_the_film() -> None:
    """What the detail network is shown and what it must say are together a window of the real film."""
    film = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    detail, condition = draw_detail(film, torch.Generator().manual_seed(2))
    assert condition is not None
    whole = detail / DETAIL_CONTRAST + condition / CONTRAST + 0.5
    found = film.unfold(2, SIDE // 2, 1).unfold(3, SIDE // 2, 1).reshape(-1, SIDE // 2, SIDE // 2)
    assert (found - whole[0, 0]).abs().amax((1, 2)).min() < 1e-5


def test_fitted_generator_makes_films_of_the_asked_class(tmp_path: Path) -> None:
    """Films sampled for a class look like that class."""
    pixels, labels = make_films()
    base = fit(TINY_BASE, Recipe(150, batch=24, rate=5e-3, warm_up=10, average=0.9), pixels, labels, tmp_path / "b")
    detail = fit(TINY_DETAIL, Recipe(5, batch=8), pixels, labels, tmp_path / "d")
    generator = Generator(base, detail, SIDE // 4)
    dark, bright = (sample_films(generator, label, range(4)) for label in (0, 2))
    assert dark.shape == (4, SIDE, SIDE)
    assert dark.mean() + 100 < bright.mean()


def test_resumed_fit_equals_an_unbroken_one(tmp_path: Path) -> None:
    """A run that was cut off and goes on from its checkpoint ends with the same weights."""
    films, recipe = make_films(), Recipe(6, batch=4, warm_up=2, save_every=3)
    whole = fit(TINY_BASE, recipe, *films, tmp_path / "whole")
    cut_off(tmp_path / "cut", recipe, films)
    resumed = fit(TINY_BASE, recipe, *films, tmp_path / "cut")
    pairs = zip(whole.parameters(), resumed.parameters(), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)


def cut_off(checkpoint: Path, recipe: Recipe, films: tuple[Tensor, Tensor]) -> None:
    """Run a fit that ends after its first checkpoint, before its second."""
    fitting = Fitting(TINY_BASE, recipe)
    for _ in range(recipe.save_every):
        fitting.advance(*films)
    fitting.save(checkpoint)


def test_every_step_draws_other_films() -> None:
    """Two steps of one run do not learn from the same draw."""
    drawn: list[Tensor] = []

    def draw(grey: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        drawn.append(grey)
        return draw_base(grey, generator)

    fitting = Fitting(replace(TINY_BASE, draw=draw), Recipe(2, batch=8))
    for _ in range(2):
        fitting.advance(*make_films())
    assert not torch.equal(*drawn)


def test_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    """A checkpoint is never taken up by a run with other settings, whose learning rate would not fit."""
    films = make_films()
    fit(TINY_BASE, Recipe(1, batch=4), *films, tmp_path / "base.pt")
    with pytest.raises(CheckpointError, match="take the file away"):
        fit(TINY_BASE, Recipe(2, batch=4), *films, tmp_path / "base.pt")


def test_noise_depends_on_class_and_number_alone() -> None:
    """Any film can be remade without its neighbours, and no two classes share their noise."""
    alone, among = draw_noise(1, [7], 8, seed=0), draw_noise(1, [5, 7], 8, seed=0)
    assert torch.equal(alone[0], among[1])
    assert not torch.equal(alone, draw_noise(2, [7], 8, seed=0))


def test_make_writes_candidates_and_their_likeness(tmp_path: Path) -> None:
    """The command turns a folder of films into candidates of each class, each compared with every training film."""
    random = np.random.default_rng(0)
    for folder, name in [
        ("NORMAL", "IM-{:04d}-0001.jpeg"),
        ("PNEUMONIA", "person{}_bacteria_1.jpeg"),
        ("PNEUMONIA", "person{}_virus_1.jpeg"),
    ]:
        (tmp_path / folder).mkdir(exist_ok=True)
        for number in range(6):
            Image.fromarray(random.integers(0, 255, (64, 64), np.uint8)).save(tmp_path / folder / name.format(number))
    make(tmp_path, tmp_path / "out", count=1, base_steps=1, detail_steps=1)
    written = json.loads((tmp_path / "out/similarity.json").read_text())
    assert {path.stem for path in (tmp_path / "out/candidates").iterdir()} == set(written["nearest"])
    assert set(written["nearest"]) == {"normal_0", "bacterial_0", "viral_0"}
