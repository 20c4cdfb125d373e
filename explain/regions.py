"""Relevance of the image patches -> shares of named regions of the film.

No lung is segmented. The regions are fixed rectangles in fractions of the film's width and height, which assumes:
a frontal view; the patient's right on the left of the picture (radiological convention); a film that is roughly
centred and reaches from the neck to the upper abdomen. The borders were read from the mean of 400 frontal films of
children aged 1 to 5, where the lungs lie at 12 to 88 % of the width and 17 to 80 % of the height. A film that is
turned, cropped or mirrored is named wrongly. The left lower zone holds a part of the heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from explain.evidence import Region
from inference.contract import GRID, PATCHES

CENTRE: Final = "centre (mediastinum)"
OUTSIDE: Final = "outside the lungs"

_RIGHT, _MIDDLE, _LEFT = (0.12, 0.42), (0.42, 0.58), (0.58, 0.88)
_UPPER, _MIDHEIGHT, _LOWER = (0.17, 0.38), (0.38, 0.59), (0.59, 0.80)


@dataclass(frozen=True, slots=True)
class Zone:
    """A named rectangle: (from, to) in fractions of the film, from its left and from its top."""

    name: str
    across: tuple[float, float]
    down: tuple[float, float]

    @property
    def area(self) -> float:
        """Part of the film that it covers, 0..1: its share if the relevance were spread evenly."""
        return (self.across[1] - self.across[0]) * (self.down[1] - self.down[0])


ZONES: Final = (
    *(
        Zone(f"{side} {height} zone", across, down)
        for height, down in (("upper", _UPPER), ("middle", _MIDHEIGHT), ("lower", _LOWER))
        for side, across in (("right", _RIGHT), ("left", _LEFT))
    ),
    Zone(CENTRE, _MIDDLE, (_UPPER[0], _LOWER[1])),
)
AREA_OF_REGION: Final = {
    **{zone.name: zone.area for zone in ZONES},
    OUTSIDE: 1.0 - sum(zone.area for zone in ZONES),
}


def _covered(interval: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return which part of each of the GRID strips an interval covers, shape (GRID,)."""
    edges = np.linspace(0.0, 1.0, GRID + 1)
    parts = [max(0.0, min(interval[1], end) - max(interval[0], start)) * GRID for start, end in pairwise(edges)]
    return np.array(parts)


# Row by zone, column by patch: the part of the patch's area that lies in the zone.
_OVERLAP: Final = np.stack([np.outer(_covered(zone.down), _covered(zone.across)).ravel() for zone in ZONES])


def region_shares(relevance: npt.NDArray[np.floating]) -> tuple[Region, ...]:
    """Return every region with its share of the relevance, largest first; the shares add up to 1.

    A patch that lies across a border gives each side its part. Empty when no patch has any relevance.

    Args:
        relevance: shape (PATCHES,), 0 or more, row by row from the top left of the film.

    Raises:
        ValueError: the relevance has another shape, or holds a negative or non-finite number.
    """
    check_relevance(relevance)
    total = float(relevance.sum(dtype=np.float64))
    if total == 0.0:
        return ()
    shares = _OVERLAP @ (relevance.astype(np.float64) / total)
    regions = [Region(zone.name, float(share)) for zone, share in zip(ZONES, shares, strict=True)]
    regions.append(Region(OUTSIDE, max(0.0, 1.0 - float(shares.sum()))))
    return tuple(sorted(regions, key=lambda region: -region.share))


def check_relevance(relevance: npt.NDArray[np.floating]) -> None:
    """Raise ValueError unless the array is a relevance map: shape (PATCHES,), finite, 0 or more."""
    if relevance.shape != (PATCHES,) or not np.isfinite(relevance).all() or (relevance < 0).any():
        raise ValueError(f"image relevance must be {PATCHES} finite numbers of 0 or more; check the exported graph")
