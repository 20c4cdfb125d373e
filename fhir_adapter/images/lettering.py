"""A film -> lines of lettering drawn into its pixels, and the film without them. It does not read what they say.

Names and dates burnt into a picture would reach model and page. Lettering is told from bone by its strokes: bright,
thin, of one height, and several in a row. One or two letters (L, R, AP) are a side marker and stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fhir_adapter.images.grey import FloatArray

_SIDE: Final = 1400
"""Larger pictures are searched at a half, a third ... of their size."""
_BRIGHT: Final = 165
"""Grey of 255 that a stroke has at least."""
_CONTRAST: Final = 90
"""Steps of 255 by which a stroke stands out from what lies left and right of it."""
_WHITE: Final = 240
_CONTRAST_OF_WHITE: Final = 32
"""The same for a stroke that is white, as what is drawn into a picture mostly is and bone seldom."""
_REACHES: Final = (8, 16, 32)
_REACH_OF_WIDTH: Final = 28
"""There is ground on both sides of a stroke within a 28th of the width, rounded down to a power of two."""
_CELL: Final = 4
"""Side of the cells in which strokes are gathered to lines."""
_GAP: Final = 4
"""Empty cells that may lie between two letters of a line."""
_LOWEST, _HIGHEST = 7, 90
"""Height of a line in pixels."""
_FEWEST_GLYPHS: Final = 4
_FILL: Final = (0.08, 0.62)
"""Share of a line's box that is strokes: a scratch has less, a patch more."""
_ALIKE: Final = 0.6
"""Share of the glyphs that are nearly as high as the line."""
_MOST_CELLS: Final = 0.25
"""A picture with strokes nearly everywhere is noise, not lettering."""

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """Rows top to bottom and columns left to right, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int


def find_lettering(pixels: FloatArray) -> tuple[Box, ...]:
    """Return the boxes of lines of lettering in a picture (height, width) of 0..1; a few ms."""
    scale = max(1, round(max(pixels.shape) / _SIDE))
    small = _shrunk(pixels, scale)
    strokes = _strokes(small)
    cells = _cells(strokes)
    if not cells.any() or cells.mean() > _MOST_CELLS:
        return ()
    lines = (_trimmed(strokes, box) for box in _joined(cells))
    found = [box for box in lines if box is not None and _is_lettering(strokes, box)]
    return tuple(Box(*(side * scale for side in (box.top, box.bottom, box.left, box.right))) for box in found)


def paint_over(pixels: FloatArray, boxes: tuple[Box, ...]) -> FloatArray:
    """Return the picture with each box filled with the grey that surrounds it."""
    if not boxes:
        return pixels
    painted = pixels.copy()
    height, width = pixels.shape
    for box in boxes:
        margin = max(2, (box.bottom - box.top) // 6)
        top, bottom = max(0, box.top - margin), min(height, box.bottom + margin)
        left, right = max(0, box.left - margin), min(width, box.right + margin)
        border = np.concatenate([pixels[top, left:right], pixels[bottom - 1, left:right]])
        painted[top:bottom, left:right] = np.median(border)
    return painted


def _shrunk(pixels: FloatArray, scale: int) -> Bytes:
    """Return the picture in bytes, each the mean of scale x scale pixels."""
    height, width = (side // scale * scale for side in pixels.shape)
    # Every scale-th pixel, added up: half the time of Pillow's reduce, which needs the whole film in bytes first.
    total = pixels[:height:scale, :width:scale].copy()
    for row, column in [(row, column) for row in range(scale) for column in range(scale)][1:]:
        total += pixels[row:height:scale, column:width:scale]
    total *= np.float32(255 / scale**2)
    return total.astype(np.uint8)


def _strokes(grey: Bytes) -> Mask:
    """Return where it is bright and, within reach, dark on both sides: a top-hat along the rows."""
    width = grey.shape[1]
    reach = max((each for each in _REACHES if each * _REACH_OF_WIDTH <= width), default=_REACHES[0])
    # Least value of the pixels within reach to the left, and to the right, by doubling.
    least, span = np.pad(grey, ((0, 0), (reach, reach)), mode="edge"), 1
    while span < reach:
        least = np.minimum(least[:, :-span], least[:, span:])
        span *= 2
    left, right = least[:, :width], least[:, reach + 1 : reach + 1 + width]
    ground = np.maximum(left, right)
    # Bytes: where the ground is brighter the difference would wrap, hence the least of the two.
    above = grey - np.minimum(ground, grey)
    return np.asarray(((grey >= _BRIGHT) & (above >= _CONTRAST)) | ((grey >= _WHITE) & (above >= _CONTRAST_OF_WHITE)))


def _cells(strokes: Mask) -> Mask:
    height, width = (side // _CELL * _CELL for side in strokes.shape)
    blocks = strokes[:height, :width].view(np.uint8)
    rows = np.maximum.reduce([blocks[offset::_CELL] for offset in range(_CELL)])
    return np.asarray(np.maximum.reduce([rows[:, offset::_CELL] for offset in range(_CELL)]), dtype=bool)


def _joined(cells: Mask) -> list[Box]:
    """Return the boxes, in pixels, of cells that hang together when gaps along a row are bridged."""
    bridged = cells.copy()
    for step in range(1, _GAP + 1):
        bridged[:, step:] |= cells[:, :-step]
    return [
        Box(box.top * _CELL, box.bottom * _CELL, box.left * _CELL, box.right * _CELL) for box in _components(bridged)
    ]


def _components(cells: Mask) -> list[Box]:
    """Return the boxes of connected cells (eight neighbours), from runs along the rows."""
    edges = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    open_boxes: list[list[int]] = []
    closed: list[list[int]] = []
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        touching = [box for box in open_boxes if box[1] >= row and box[2] <= end and box[3] >= start]
        merged = [row, row + 1, start, end]
        for box in touching:
            merged = [min(merged[0], box[0]), row + 1, min(merged[2], box[2]), max(merged[3], box[3])]
        gone = [box for box in open_boxes if box[1] < row]
        closed += gone
        open_boxes = [box for box in open_boxes if box not in touching and box not in gone]
        open_boxes.append(merged)
    return [Box(*box) for box in closed + open_boxes]


def _trimmed(strokes: Mask, box: Box) -> Box | None:
    """Return the box drawn close around its strokes."""
    inside = strokes[box.top : box.bottom, box.left : box.right]
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return None
    top, left = box.top, box.left
    return Box(top + int(rows[0]), top + int(rows[-1]) + 1, left + int(columns[0]), left + int(columns[-1]) + 1)


def _is_lettering(strokes: Mask, box: Box) -> bool:
    height, width = box.bottom - box.top, box.right - box.left
    if not _LOWEST <= height <= _HIGHEST or width < 1.5 * height:
        return False
    inside = strokes[box.top : box.bottom, box.left : box.right]
    if not _FILL[0] <= inside.mean() <= _FILL[1]:
        return False
    heights = _glyph_heights(inside)
    # Small letters reach half as high as the line.
    alike = sum(each >= 0.45 * height for each in heights)
    return len(heights) >= _FEWEST_GLYPHS and alike >= max(_FEWEST_GLYPHS - 1, _ALIKE * len(heights))


def _glyph_heights(inside: Mask) -> list[int]:
    """Return the height of each run of columns that hold strokes."""
    edges = np.flatnonzero(np.diff(np.pad(inside.any(axis=0), 1).astype(np.int8)))
    heights = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        rows = np.flatnonzero(inside[:, start:end].any(axis=1))
        heights.append(int(rows[-1] - rows[0] + 1))
    return heights
