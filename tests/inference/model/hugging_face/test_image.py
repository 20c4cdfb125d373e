from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import ViTForImageClassification, ViTForMaskedImageModeling

from inference.contract import GRID, IMAGE_SIZE, PATCHES
from inference.model.hugging_face.image import resample_positions
from inference.model.pretrained import load_image_encoder
from tests.inference.model.hugging_face.sources import WIDTH, change_json, save_vit


def ask_transformers(model: Any, image: Tensor, mean: float = 0.5, deviation: float = 0.5) -> Tensor:
    pixels = (image.expand(-1, 3, -1, -1) - mean) / deviation
    states: Tensor = model(pixels, interpolate_pos_encoding=True).last_hidden_state
    return states[:, 1:]


@pytest.fixture
def image() -> Tensor:
    return torch.rand(2, 1, IMAGE_SIZE, IMAGE_SIZE)


@torch.no_grad()
def test_tokens_are_those_of_transformers(tmp_path: Path, image: Tensor) -> None:
    """A loaded ViT gives the patch tokens that transformers gives for the same radiograph."""
    theirs = save_vit(tmp_path)

    tokens = load_image_encoder(tmp_path)(image)

    assert tokens.shape == (2, PATCHES, WIDTH)
    torch.testing.assert_close(tokens, ask_transformers(theirs, image), atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("kind", [ViTForImageClassification, ViTForMaskedImageModeling])
def test_a_vit_inside_a_larger_model_is_taken_out(tmp_path: Path, image: Tensor, kind: type) -> None:
    """Prefix and heads of a larger model change nothing."""
    theirs = save_vit(tmp_path, kind)

    tokens = load_image_encoder(tmp_path)(image)

    torch.testing.assert_close(tokens, ask_transformers(theirs.vit, image), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_grey_is_scaled_as_the_folder_says(tmp_path: Path, image: Tensor) -> None:
    """Mean and deviation are those of preprocessor_config.json."""
    theirs = save_vit(tmp_path)
    change_json(tmp_path / "preprocessor_config.json", image_mean=[0.3] * 3, image_std=[0.2] * 3)

    tokens = load_image_encoder(tmp_path)(image)

    torch.testing.assert_close(tokens, ask_transformers(theirs, image, 0.3, 0.2), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_grey_stays_as_it_is_where_the_folder_normalises_nothing(tmp_path: Path, image: Tensor) -> None:
    """`do_normalize: false` outweighs the mean that stands beside it."""
    theirs = save_vit(tmp_path)
    change_json(tmp_path / "preprocessor_config.json", do_normalize=False, image_mean=[0.3] * 3)

    tokens = load_image_encoder(tmp_path)(image)

    torch.testing.assert_close(tokens, ask_transformers(theirs, image, 0, 1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("grid", [GRID - 3, GRID + 6])
def test_positions_are_stretched_as_transformers_stretches_them(tmp_path: Path, grid: int) -> None:
    """The table made once equals the one transformers makes in every forward, for smaller and larger sources."""
    theirs = save_vit(tmp_path, image_size=grid * 16)
    like = torch.zeros(1, 1 + PATCHES, WIDTH)

    expected = theirs.embeddings.interpolate_pos_encoding(like, IMAGE_SIZE, IMAGE_SIZE)

    torch.testing.assert_close(resample_positions(theirs.embeddings.position_embeddings, GRID), expected)


def test_positions_of_the_same_grid_are_not_touched() -> None:
    """A source for the contract's image size keeps its table to the bit."""
    table = torch.rand(1, 1 + PATCHES, WIDTH)

    assert resample_positions(table, GRID) is table


@pytest.mark.parametrize("positions", [1, 1 + GRID * GRID + 1])
def test_positions_that_are_no_square_are_refused(positions: int) -> None:
    """A table without a class token, or with more than one, is not stretched to something plausible."""
    with pytest.raises(ValueError, match="square"):
        resample_positions(torch.rand(1, positions, WIDTH), GRID)
