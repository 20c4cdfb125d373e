"""Film of one case -> what covering each of its named regions does to the answer."""

from __future__ import annotations

from typing import Final

import numpy as np

from explain.methods.inputs import CheckInputs
from explain.methods.variants import Mask, ask_covered, falls
from explain.regions import OUTSIDE, ZONES, Zone, region_shares
from explain.tested import ZoneEffect
from inference.contract import IMAGE_SIZE, FloatArray
from inference.explore import Explorer, Memory

NAMES: Final = (*(zone.name for zone in ZONES), OUTSIDE)


def zone_effects(
    case: CheckInputs, explorer: Explorer, memory: Memory, relevance: FloatArray
) -> tuple[ZoneEffect, ...]:
    """Return the fall of the answer's probability for each region covered, largest first; the case has a film.

    `relevance` is the film's map (PATCHES,), 0 or more: each region has its share of it.
    """
    points = falls(case, ask_covered(case, explorer, memory, zone_masks()))
    shares = {region.name: region.share for region in region_shares(relevance)}
    effects = [ZoneEffect(name, float(point), shares.get(name, 0.0)) for name, point in zip(NAMES, points, strict=True)]
    return tuple(sorted(effects, key=lambda effect: -effect.points))


def zone_masks() -> Mask:
    """Return the pixels of each region in the order of `NAMES`, (regions, IMAGE_SIZE, IMAGE_SIZE); each in just one."""
    inside = np.stack([_pixels(zone) for zone in ZONES])
    return np.concatenate([inside, ~inside.any(0, keepdims=True)])


def _pixels(zone: Zone) -> Mask:
    mask = np.zeros((IMAGE_SIZE, IMAGE_SIZE), bool)
    (left, right), (top, bottom) = ([round(edge * IMAGE_SIZE) for edge in edges] for edges in (zone.across, zone.down))
    mask[top:bottom, left:right] = True
    return mask
