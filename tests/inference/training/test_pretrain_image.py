from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inference.contract import GRID, IMAGE_SIZE, PATCH, PATCHES
from inference.training.devices import Place
from inference.training.pretrain_image import GREY, MaskedFilms, cut_patches, drawing_loss, hide, pretrain_image
from inference.training.progress import Silent
from inference.training.recipe import Stage
from tests.inference.model.conftest import SMALL

FILMS = torch.rand(2, 1, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(0))
STAGE = Stage(epochs=3, batch=8, rate=3e-3, decay=0.0, smoothing=0.0, average=0.5, dropout=0.0, augmentation=0.0)


class Heard(Silent):
    """Keeps the lines it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


def test_patches_come_row_by_row() -> None:
    """Patch number GRID is the first of the second row."""
    patches = cut_patches(FILMS)

    assert patches.shape == (2, PATCHES, PATCH * PATCH)
    assert torch.equal(patches[0, GRID], FILMS[0, 0, PATCH : 2 * PATCH, :PATCH].flatten())


def test_hidden_patches_are_grey_and_others_untouched() -> None:
    """The mask and the patches agree about which square is which."""
    hidden = torch.zeros(2, PATCHES, dtype=torch.bool)
    hidden[:, 3] = True
    seen = cut_patches(hide(FILMS, hidden))

    assert torch.all(seen[:, 3] == GREY)
    assert torch.equal(seen[:, 4:], cut_patches(FILMS)[:, 4:])


def test_only_hidden_patches_are_judged() -> None:
    """A drawing that is right where it was hidden costs nothing, however wrong elsewhere."""
    hidden = torch.zeros(2, PATCHES, dtype=torch.bool)
    hidden[:, 5] = True
    target = cut_patches(FILMS)
    right = (target - target.mean(-1, keepdim=True)) / (target.std(-1, keepdim=True) + 0.02)
    drawn = torch.full_like(target, 9.0)
    drawn[:, 5] = right[:, 5]

    assert drawing_loss(drawn, FILMS, hidden).item() == pytest.approx(0, abs=1e-6)


def test_miniature_pretraining_learns_to_draw(tmp_path: Path) -> None:
    """On films of plain gradients the error falls, without any label."""
    ramp = torch.linspace(0, 255, IMAGE_SIZE).to(torch.uint8)
    pixels = torch.stack([ramp.expand(IMAGE_SIZE, -1), ramp[:, None].expand(-1, IMAGE_SIZE)] * 16)[:, None]
    torch.manual_seed(0)
    heard = Heard()

    pretrain_image(
        MaskedFilms(SMALL), STAGE, pixels, 0, (Place(torch.device("cpu")), heard, tmp_path / "s.safetensors")
    )

    errors = [float(line.rsplit(" ", 1)[1]) for line in heard.lines]
    assert len(errors) == STAGE.epochs
    assert errors[-1] < errors[0]


def test_films_of_another_size_are_refused(tmp_path: Path) -> None:
    """Pixels that were not resized to the contract's size stop the run before it starts."""
    place = (Place(torch.device("cpu")), Silent(), tmp_path / "s.safetensors")

    with pytest.raises(ValueError, match="do not fit a contract"):
        pretrain_image(MaskedFilms(SMALL), STAGE, torch.zeros(8, 1, 64, 64, dtype=torch.uint8), 0, place)
