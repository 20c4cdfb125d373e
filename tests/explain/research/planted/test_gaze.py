from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explain.research.planted.gaze import centre_of, gaze
from inference.contract import IMAGE_SIZE, PATCH
from inference.model.image import ImageEncoder
from tests.inference.model.conftest import SMALL


class Askew(ImageEncoder):
    """Each token is the mean of a square as large as a patch, but a few pixels further up and left."""

    def __init__(self, up: int, left: int) -> None:
        super().__init__(SMALL)
        self.moved = (up, left)

    def stem_map(self, image: Tensor) -> Tensor:
        """Pool the film, moved."""
        return nn.functional.avg_pool2d(torch.roll(image, self.moved, (2, 3)), PATCH)


@pytest.mark.parametrize("moved", [(0, 0), (5, 0), (3, 7)])
def test_shift_of_a_known_encoder_is_found(moved: tuple[int, int]) -> None:
    """Tokens that look up and left have a shift below 0, to the coarseness of the dots."""
    shift = gaze(Askew(*moved), torch.zeros(1, 1, IMAGE_SIZE, IMAGE_SIZE))

    assert shift == pytest.approx((-moved[0], -moved[1]), abs=2.5)


def test_centre_of_a_weight() -> None:
    """Rows first."""
    weight = torch.zeros(4, 4)
    weight[1, 2] = weight[1, 3] = 1.0

    assert centre_of(weight) == (1.0, 2.5)
