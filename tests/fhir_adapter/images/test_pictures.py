from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fhir_adapter.errors import ImageUnreadable
from fhir_adapter.images.pictures import decode_picture
from tests.fhir_adapter.builders import ramp

GREY = ramp(255, "uint8").astype(np.uint8)[:40]


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bytes_of(pixels: npt.NDArray[np.generic], kind: str = "PNG", **options: Any) -> bytes:
    return saved(Image.fromarray(pixels), kind, **options)


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (bytes_of(GREY), 1e-6),
        (bytes_of(GREY, "JPEG", quality=95), 0.02),
        (bytes_of(np.stack([GREY] * 3, axis=-1)), 1e-6),
        (bytes_of(np.stack([GREY] * 3, axis=-1), "JPEG", quality=95), 0.02),
        (bytes_of(np.stack([GREY] * 3 + [np.full_like(GREY, 255)], axis=-1)), 1e-6),
        (saved(Image.fromarray(GREY).convert("P")), 1e-6),
        (bytes_of(GREY.astype(np.uint16) * 257), 1e-6),
    ],
    ids=["grey", "JPEG", "three channels", "JPEG of three", "opaque", "palette", "16 bits"],
)
def test_grey_picture_of_every_form_is_read(data: bytes, tolerance: float) -> None:
    """PNG and JPEG, of one channel or of equal ones, of 8 or 16 bits, are the same grey."""
    assert decode_picture(data) == pytest.approx(GREY / 255, abs=tolerance)


def test_picture_is_turned_upright() -> None:
    """A photograph says in EXIF how it was held."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode_picture(bytes_of(GREY, exif=exif))

    assert np.array_equal(np.rint(turned * 255), np.rot90(GREY, -1))


COLOURED = np.stack([GREY, GREY, GREY[::-1]], axis=-1)
SEE_THROUGH = np.stack([GREY] * 3 + [GREY], axis=-1)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (bytes_of(COLOURED), "not a grey image"),
        (bytes_of(SEE_THROUGH), "see-through"),
        (bytes_of(GREY[:8]), "size"),
        (bytes_of(np.zeros((9000, 5000), dtype=np.uint8)), "size"),
        (
            saved(Image.fromarray(GREY), "PNG", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
            "moving",
        ),
        (saved(Image.fromarray(GREY).convert("1")), "not a grey image"),
        (saved(Image.fromarray(GREY), "GIF"), "unknown kind"),
        (saved(Image.fromarray(GREY), "TIFF"), "unknown kind"),
        (bytes_of(GREY)[:80], "damaged"),
        (b"<html>", "unknown kind"),
        (b"", "unknown kind"),
    ],
)
def test_picture_that_is_no_film_is_refused(data: bytes, problem: str) -> None:
    """Colour, see-through, moving, tiny, huge, cut off, or another format."""
    with pytest.raises(ImageUnreadable, match=problem):
        decode_picture(data)
