from __future__ import annotations

import pytest
import torch

from inference.contract import GRID, IMAGE_SIZE, PATCHES
from inference.model.image import ImageEncoder
from inference.model.stem import LAYERS, STEM_WIDTH, ConvolutionalStem, InvertedResidual
from tests.inference.model.conftest import SMALL

FILMS = torch.rand(3, 1, IMAGE_SIZE, IMAGE_SIZE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    torch.manual_seed(0)
    return ImageEncoder(SMALL).eval()


def test_stem_halves_four_times(encoder: ImageEncoder) -> None:
    """The map has one place for each patch of the contract."""
    assert encoder.stem_map(FILMS).shape == (3, STEM_WIDTH, GRID, GRID)


def test_tokens_come_row_by_row(encoder: ImageEncoder) -> None:
    """A token for each patch, in the order in which relevance is laid back onto the film."""
    corner = torch.zeros(1, STEM_WIDTH, GRID, GRID)
    corner[..., 0, GRID - 1] = 5
    moved = (encoder.from_map(corner) - encoder.from_map(torch.zeros_like(corner))).abs().sum(-1)[0]

    assert moved.shape == (PATCHES,)
    assert int(moved.argmax()) == GRID - 1


def test_encoder_gives_a_film_the_same_tokens_in_any_company(encoder: ImageEncoder) -> None:
    """No statistic of the batch has a part in the answer: a film alone is read as among others."""
    assert torch.allclose(encoder(FILMS)[:1], encoder(FILMS[:1]), atol=1e-5)


def test_feature_is_mean_and_deviation_of_the_map(encoder: ImageEncoder) -> None:
    """The scope gate reads what the stem sees, before the tokens have learnt the question."""
    tokens, feature = encoder.look(FILMS)
    features = encoder.stem_map(FILMS)

    assert torch.allclose(feature[:, :STEM_WIDTH], features.mean((2, 3)), atol=1e-5)
    assert torch.allclose(feature[:, STEM_WIDTH:], features.std((2, 3), unbiased=False), atol=1e-2)
    assert torch.equal(tokens, encoder(FILMS))


def test_gradients_reach_every_weight_of_the_encoder() -> None:
    """Nothing in the encoder is without a part in its tokens."""
    torch.manual_seed(0)
    encoder = ImageEncoder(SMALL)
    encoder(FILMS).square().mean().backward()

    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in encoder.parameters())


def test_residual_is_added_only_where_shapes_agree() -> None:
    """Layers that change side or channels have no shortcut."""
    adds = [layer.adds for layer in ConvolutionalStem().layers if isinstance(layer, InvertedResidual)]

    assert adds == [layer.stride == 1 and layer.before == layer.after for layer in LAYERS]
    assert sum(adds) == 6
