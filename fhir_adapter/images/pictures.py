"""Bytes of a PNG or JPEG -> grey 0..1, upright. Knows nothing of what the picture shows."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fhir_adapter.errors import ImageUnreadable
from fhir_adapter.images.grey import FloatArray, grey_of

MAX_PIXELS: Final = 40 * 10**6
_SMALLEST_SIDE: Final = 32
_FORMATS: Final = ("PNG", "JPEG")
_DEEP: Final = frozenset({"I;16", "I;16B", "I;16L", "I"})
"""Pillow's modes of a grey PNG of 16 bits."""
_DEEPEST: Final = 65535
_SHALLOW: Final = frozenset({"L", "LA", "P", "PA", "RGB", "RGBA"})
_OPAQUE: Final = 255
_BROKEN: Final = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    UnidentifiedImageError,
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What Pillow raises for damaged files."""


def decode_picture(data: bytes) -> FloatArray:
    """Return float32 (height, width), 0 black to 1 white, turned as its EXIF orientation says.

    Raises:
        ImageUnreadable: no PNG or JPEG, damaged, in colour, see-through, moving, or of a size that no film has.
    """
    try:
        return _decode(data)
    except _BROKEN as error:
        raise ImageUnreadable(f"it is damaged or of an unknown kind ({type(error).__name__})") from None


def _decode(data: bytes) -> FloatArray:
    # Opening reads the header only, so the size is checked before anything is unpacked.
    with Image.open(BytesIO(data), formats=_FORMATS) as opened:
        width, height = opened.size
        if min(width, height) < _SMALLEST_SIDE or width * height > MAX_PIXELS:
            raise ImageUnreadable("its size is not that of a radiograph")
        if getattr(opened, "n_frames", 1) > 1:
            raise ImageUnreadable("it is a moving picture")
        picture = ImageOps.exif_transpose(opened)
    if picture.mode in _DEEP:
        return np.asarray(picture, dtype=np.float32) / np.float32(_DEEPEST)
    if picture.mode == "L":
        return np.asarray(picture, dtype=np.float32) / np.float32(255)
    if picture.mode not in _SHALLOW:
        raise ImageUnreadable("it is not a grey image")
    colours = np.asarray(picture.convert("RGBA"))
    if int(colours[..., 3].min()) < _OPAQUE:
        raise ImageUnreadable("it is see-through in places")
    return grey_of(colours[..., :3])
