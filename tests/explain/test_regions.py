"""Named regions of the film."""

import numpy as np
import pytest

from explain.regions import AREA_OF_REGION, CENTRE, OUTSIDE, ZONES, region_shares
from inference.contract import GRID, PATCHES


def spot(down: float, across: float) -> np.ndarray:
    """Relevance in the one patch that holds a point, given in fractions of the film from its top and left."""
    relevance = np.zeros(PATCHES, np.float32)
    relevance[int(down * GRID) * GRID + int(across * GRID)] = 2.5
    return relevance


@pytest.mark.parametrize(
    ("down", "across", "name"),
    [
        (0.31, 0.19, "right upper zone"),
        (0.31, 0.81, "left upper zone"),
        (0.44, 0.31, "right middle zone"),
        (0.44, 0.69, "left middle zone"),
        (0.69, 0.19, "right lower zone"),
        (0.69, 0.81, "left lower zone"),
        (0.06, 0.44, OUTSIDE),
        (0.94, 0.56, OUTSIDE),
        (0.56, 0.06, OUTSIDE),
    ],
)
def test_picture_left_is_the_patients_right(down: float, across: float, name: str) -> None:
    """A patch is named for the region that holds most of it, the patient's right on the left of the picture."""
    assert region_shares(spot(down, across))[0].name == name


@pytest.mark.parametrize(("across", "zone"), [(0.49, "right middle zone"), (0.51, "left middle zone")])
def test_centre_shares_its_patches_with_the_lungs(across: float, zone: str) -> None:
    """A patch across the border of the mediastinum gives each side its part."""
    found = {region.name: region.share for region in region_shares(spot(0.44, across))}
    centre = (0.5 - 0.42) * GRID  # the mediastinum begins at 42 % of the width; a patch ends in the middle
    top = int(0.44 * GRID) / GRID
    inside = (min(top + 1 / GRID, 0.59) - max(top, 0.38)) * GRID  # the middle zones lie at 38 to 59 % of the height
    assert found[CENTRE] == pytest.approx(centre)
    assert found[zone] == pytest.approx((1 - centre) * inside)


@pytest.mark.parametrize("seed", range(10))
def test_shares_add_up_to_one(seed: int) -> None:
    """The shares of all regions add up to 1, largest first."""
    shares = [region.share for region in region_shares(np.random.default_rng(seed).random(PATCHES).astype(np.float32))]
    assert sum(shares) == pytest.approx(1.0, abs=1e-12)
    assert shares == sorted(shares, reverse=True)


def test_even_map_gives_each_region_its_area() -> None:
    """Relevance spread evenly gives each region the part of the film it covers."""
    found = {region.name: region.share for region in region_shares(np.ones(PATCHES, np.float32))}
    assert found == pytest.approx(AREA_OF_REGION)


def test_zones_mirror_each_other_and_do_not_overlap() -> None:
    """Right and left zones are mirror images, and all regions together are the film."""
    right, left = (zone for zone in ZONES if "upper" in zone.name)
    assert (1 - left.across[1], 1 - left.across[0]) == pytest.approx(right.across)
    assert sum(AREA_OF_REGION.values()) == pytest.approx(1.0)


def test_no_relevance_names_no_region() -> None:
    """A map without any relevance names nothing rather than everything."""
    assert region_shares(np.zeros(PATCHES, np.float32)) == ()


@pytest.mark.parametrize("relevance", [np.ones(PATCHES - 1), -np.ones(PATCHES), np.full(PATCHES, np.nan)])
def test_odd_relevance_is_refused(relevance: np.ndarray) -> None:
    """What is no relevance map is refused."""
    with pytest.raises(ValueError, match="image relevance"):
        region_shares(relevance)
