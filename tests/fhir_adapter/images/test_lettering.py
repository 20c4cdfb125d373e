import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fhir_adapter.images.grey import FloatArray
from fhir_adapter.images.lettering import Box, find_lettering, paint_over

SIDE = 900


def chest(level: float = 0.5) -> FloatArray:
    """A picture with soft bands like ribs, a bright spine, a black border and fine noise; no lettering."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    picture = level + 0.2 * np.sin(40 * y + 6 * (x - 0.5) ** 2) + 0.25 * np.exp(-(((x - 0.5) / 0.05) ** 2))
    picture += np.random.default_rng(5).normal(0, 0.01, picture.shape)
    picture[:, :60], picture[:30] = 0, 0
    return np.asarray(np.clip(picture, 0, 1), dtype=np.float32)


def written(text: str, size: int, place: tuple[int, int], level: float = 0.5) -> tuple[FloatArray, Box]:
    """The picture with a text drawn into it, and where."""
    picture = Image.fromarray(np.rint(chest(level) * 255).astype(np.uint8))
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(picture)
    draw.text(place, text, fill=255, font=font)
    left, top, right, bottom = (int(side) for side in draw.textbbox(place, text, font=font))
    return np.asarray(picture, dtype=np.float32) / np.float32(255), Box(top, bottom, left, right)


@pytest.mark.parametrize("text", ["DOE^JANE 12.03.2024", "Mueller, Hans", "SMITH JOHN M", "PID 4711-0815"])
@pytest.mark.parametrize("size", [14, 20, 32, 48])
@pytest.mark.parametrize("place", [(70, 20), (80, 450), (90, 840)])
def test_name_is_found_and_painted_over(text: str, size: int, place: tuple[int, int]) -> None:
    """A name of any usual size is found in the border and in the picture, and nothing white of it is left."""
    picture, box = written(text, size, place)

    painted = paint_over(picture, find_lettering(picture))

    left = painted[box.top : box.bottom, box.left : box.right] > 0.97
    was = picture[box.top : box.bottom, box.left : box.right] > 0.97
    assert left.sum() <= 0.05 * was.sum()


@pytest.mark.parametrize("text", ["L", "R", "AP", "PA", "L AP"])
@pytest.mark.parametrize("size", [20, 48])
def test_side_marker_is_no_lettering(text: str, size: int) -> None:
    """One to three letters tell the side or the view; they stay."""
    picture, _ = written(text, size, (780, 60))

    assert find_lettering(picture) == ()


@pytest.mark.parametrize("level", [0.2, 0.5, 0.8])
def test_chest_without_lettering_has_none(level: float) -> None:
    """Bands, spine and noise are no strokes."""
    assert find_lettering(chest(level)) == ()


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((40, 40), dtype=np.float32),
        np.ones((40, 40), dtype=np.float32),
        np.random.default_rng(1).random((300, 300)).astype(np.float32),
        np.tile(np.array([0, 0, 1, 1], dtype=np.float32), (200, 100)),
    ],
    ids=["black", "white", "noise", "stripes"],
)
def test_picture_of_anything_else_has_none(picture: FloatArray) -> None:
    """A picture that is strokes everywhere, or nowhere, holds no lettering."""
    assert find_lettering(picture) == ()


def test_wire_is_no_lettering() -> None:
    """A lead or tube is thin and bright, and one long stroke."""
    picture = chest()
    for row in range(200, 600):
        picture[row, 300 + row // 3 : 304 + row // 3] = 1

    assert find_lettering(picture) == ()


def test_large_film_is_searched_at_a_smaller_size() -> None:
    """Boxes are told in the film's own pixels."""
    picture, box = written("DOE^JANE 12.03.2024", 24, (70, 20))
    large = np.asarray(picture.repeat(3, axis=0).repeat(3, axis=1), dtype=np.float32)

    [found] = find_lettering(large)

    assert (found.left, found.right) == pytest.approx((3 * box.left, 3 * box.right), abs=30)


def test_film_without_lettering_is_not_copied() -> None:
    """A film of 20 MB is not copied for nothing."""
    picture = chest()

    assert paint_over(picture, ()) is picture
